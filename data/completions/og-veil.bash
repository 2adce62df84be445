# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
# bash completion for og-veil: the program itself says what may come next.

_og_veil()
{
    local cur prev words cword split line
    _init_completion -s -n : || return

    while IFS= read -r line; do
        case $line in
            :files) _filedir ;;
            :directories) _filedir -d ;;
            *)
                line=${line%%$'\t'*}
                # Of --option=value, readline replaces the value alone.
                [[ $split == true ]] && line=${line#--*=}
                [[ $line == "$cur"* ]] && COMPREPLY+=("$line")
                ;;
        esac
    done < <("${1/#\~/$HOME}" --complete "${words[@]:1:cword}" 2>/dev/null)
    __ltrim_colon_completions "$cur"
} && complete -F _og_veil og-veil
