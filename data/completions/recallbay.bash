# SPDX-License-Identifier: Apache-2.0
# Completion for recallctl, recall-oem and recall-sim: verbs and options are read from --help, so that
# they are never out of date.

_recallbay_help() {
    # the verbs of a program: indented lines of its overview
    "$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\( [a-z][a-z-]*\)\{0,1\}\) .*/\1/p'
}

_recallbay() {
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local verbs candidates
    case "$previous" in
    --scenario) COMPREPLY=($(compgen -W "director image-supplier image-oem ecu-keys" -- "$word")); return ;;
    --timing) COMPREPLY=($(compgen -W "real fast" -- "$word")); return ;;
    --link) COMPREPLY=($(compgen -W "doip:// doips:// can: canfd: usb: bus:" -- "$word")); return ;;
    esac
    if [[ $word == -* ]]; then
        candidates=$("$program" "${COMP_WORDS[@]:1:2}" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]+' | sort -u)
    elif ((COMP_CWORD == 1)); then
        candidates=$(_recallbay_help "$program" | cut -d' ' -f1 | sort -u)
    elif ((COMP_CWORD == 2)); then
        candidates=$(_recallbay_help "$program" | sed -n "s/^$previous //p" | sort -u)
    fi
    COMPREPLY=($(compgen -W "$candidates" -- "$word"))
    [[ -n ${COMPREPLY[*]} ]] || COMPREPLY=($(compgen -f -- "$word"))
}

complete -o filenames -F _recallbay recallctl recall-oem recall-sim
