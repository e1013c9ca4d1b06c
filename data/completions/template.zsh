#compdef @PROGRAM@
# SPDX-License-Identifier: Apache-2.0
# Completion of @PROGRAM@ for zsh, made from its table of verbs and options. It starts no program.

@FUNCTION@() {
    local -A next options arguments expects
@TABLE@
    local -a kinds
    local token expected only_arguments kind key at=/ i n=1
    for ((i = 2; i < CURRENT; i++)); do
        token=$words[i]
        if [[ -n $expected ]]; then
            expected=
        elif [[ -z $only_arguments && $token == -- ]]; then
            only_arguments=yes
        elif [[ -z $only_arguments && $token == -?* ]]; then
            key=${at%/}/$token
            expected=${expects[$key]}
        elif [[ $n == 1 && " ${next[$at]} " == *" $token "* ]]; then
            at=${at%/}/$token
        else
            ((++n))
        fi
    done
    if [[ -n $expected ]]; then
        kind=$expected
    elif [[ -z $only_arguments && $PREFIX == -*=* ]]; then
        key=${at%/}/${PREFIX%%=*}
        kind=${expects[$key]:-nothing}
        compset -P 1 '*='
    elif [[ -z $only_arguments && $PREFIX == -* ]]; then
        kind="words ${options[$at]}"
    else
        kinds=(${(s.;.)arguments[$at]})
        if [[ "$kinds" == *… ]]; then
            kinds=("${(@)kinds[1,-2]}")
            ((n <= $#kinds)) || n=$#kinds
        fi
        kind=${kinds[n]:-nothing}
        [[ $n == 1 && -n ${next[$at]} && ($kind == nothing || $kind == words*) ]] && kind="words ${next[$at]} ${kind#nothing}"
    fi
    case $kind in
    file) _files ;;
    folder) _files -/ ;;
    prefixes\ *) compadd -S '' -- ${(s. .)kind#* } ;;
    words\ *) compadd -- ${(s. .)kind#* } ;;
    *) return 1 ;;
    esac
}

@FUNCTION@ "$@"
