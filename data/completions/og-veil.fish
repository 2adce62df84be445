# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
# fish completion for og-veil: the program itself says what may come next.

function __og_veil_candidates
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l option (string match -r -- '^--[^=]*=' $current)
    for line in (command $words[1] --complete $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :files
                printf '%s\n' "$option"(__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current"))
            case :directories
                printf '%s\n' "$option"(__fish_complete_directories (string replace -r -- '^--[^=]*=' '' "$current") '')
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c og-veil -f -a '(__og_veil_candidates)'
