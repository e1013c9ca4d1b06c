#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# gui-run.sh CMD... - run CMD with an X display, a session bus and an
# accessibility bus of its own, all of them gone when CMD ends.
# Software rendering, none of the user's settings; the exit status is CMD's.
# Packages: xvfb at-spi2-core dbus-daemon
set -u
home=$(mktemp -d) || exit 125
server=
cleanup() {
	[ -z "$server" ] || { kill "$server"; wait "$server"; } 2> /dev/null
	rm -rf "$home"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
mkdir "$home"/{run,config,cache,data}	# (mktemp made $home for us alone)

# Not xvfb-run: it guesses a free display number, and two at once may guess the
# same; and without -noreset the server starts anew whenever its last client goes.
mkfifo "$home/display"
Xvfb -displayfd 3 -screen 0 "${GUI_SCREEN:-1280x800x24}" -noreset -nolisten tcp \
	3> "$home/display" 2> "$home/xvfb.log" &
server=$!
read -r display < "$home/display" || { cat "$home/xvfb.log" >&2; exit 125; }

export DISPLAY=:$display HOME=$home XDG_RUNTIME_DIR=$home/run
export XDG_CONFIG_HOME=$home/config XDG_CACHE_HOME=$home/cache XDG_DATA_HOME=$home/data
export GDK_BACKEND=x11		# never a Wayland session that may be there
export GSK_RENDERER=cairo	# no GL, which Xvfb does slowly and not always
export GDK_DEBUG=gl-disable	# nor EGL at start (Mesa leaks there, and takes time)
export GSETTINGS_BACKEND=memory	# no dconf
export LC_ALL=${GUI_LOCALE:-C.UTF-8}
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS AT_SPI_BUS_ADDRESS
dbus-run-session -- "$@"
