#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# link-layer.sh LAYERS FOLDER SOURCE: make LAYERS/FOLDER/FOLDER a link to SOURCE
set -eu
mkdir -p "$1/$2"
ln -sfn "$3" "$1/$2/$2"
