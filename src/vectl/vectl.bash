# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for vectl: vectl itself knows what may follow, from the table it parses with.
_vectl() {
    local line=${COMP_LINE:0:COMP_POINT} word prefix=
    word=${line##*[[:blank:]]}
    # Where "=" breaks words, bash replaces only what is behind it.
    [[ $COMP_WORDBREAKS == *=* && $word == *=* ]] && prefix=${word%"${word##*=}"}
    mapfile -t COMPREPLY < <(vectl --complete "$line" 2>/dev/null)
    if [[ ${COMPREPLY[-1]-} == $'\tfiles' ]]; then
        unset 'COMPREPLY[-1]'
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${word#"$prefix"}")
    fi
    COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace
}
complete -F _vectl vectl
