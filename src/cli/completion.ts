/** Scripts that make shells ask `portolan __complete`, which answers from the command table itself. */
export const completionScripts = {
  bash: `_portolan() {
  local IFS=$'\\n'
  COMPREPLY=($(portolan __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _portolan portolan
`,
  zsh: `#compdef portolan
_portolan() {
  local -a found
  found=("\${(@f)$(portolan __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _portolan portolan
`,
  fish: `complete -c portolan -f -a '(portolan __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
} as const;

export type ShellName = keyof typeof completionScripts;
