# SPDX-License-Identifier: Apache-2.0
# Completion of @PROGRAM@ for bash, made from its table of verbs and options. It starts no program.

@FUNCTION@()
{
    local -A next options arguments expects
@TABLE@
    local -a typed kinds
    local line=$COMP_LINE token= at=/ expected= only_arguments= kind= value= before= i n=0
    COMPREPLY=()
    # bash breaks words at = and :, which are put together again
    for ((i = 0; i <= COMP_CWORD; i++)); do
        token=${COMP_WORDS[i]}
        if [[ $i == 0 || $line == [[:space:]]* ]]; then typed+=("$token"); else typed[-1]+=$token; fi
        line=${line#"${line%%[![:space:]]*}"}
        line=${line#"$token"}
    done
    for ((i = 1; i < ${#typed[@]} - 1; i++)); do
        token=${typed[i]}
        if [[ -n $expected ]]; then
            expected=
        elif [[ -z $only_arguments && $token == -- ]]; then
            only_arguments=yes
        elif [[ -z $only_arguments && $token == -?* ]]; then
            expected=${expects[${at%/}/$token]-}
        elif [[ $n == 0 && " ${next[$at]-} " == *" $token "* ]]; then
            at=${at%/}/$token
        else
            ((++n))
        fi
    done
    value=${typed[-1]}
    if [[ -n $expected ]]; then
        kind=$expected
    elif [[ -z $only_arguments && $value == -*=* ]]; then
        kind=${expects[${at%/}/${value%%=*}]-nothing}
        before=${value%%=*}=
        value=${value#*=}
    elif [[ -z $only_arguments && $value == -* ]]; then
        kind="words ${options[$at]-}"
    else
        IFS=';' read -r -a kinds <<<"${arguments[$at]-}"
        if [[ ${kinds[*]} == *… ]]; then
            unset 'kinds[-1]'
            ((n < ${#kinds[@]})) || n=$((${#kinds[@]} - 1))
        fi
        kind=${kinds[n]-nothing}
        [[ $n == 0 && -n ${next[$at]-} && ($kind == nothing || $kind == words*) ]] && kind="words ${next[$at]} ${kind#nothing}"
    fi
    case $kind in
    file) compopt -o default 2>/dev/null ;;
    folder) compopt -o dirnames 2>/dev/null ;;
    words\ * | prefixes\ *)
        [[ $kind == prefixes* ]] && compopt -o nospace 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -W "${kind#* }" -- "$value")
        # what stands before the last break is not replaced
        before+=$value
        token=${COMP_WORDS[COMP_CWORD]}
        [[ $token == *[!=:]* || -z $token ]] && before=${before%"$token"}
        [[ $before == *= ]] && before=
        COMPREPLY=("${COMPREPLY[@]#"$before"}")
        ;;
    esac
}
complete -F @FUNCTION@ @PROGRAM@
