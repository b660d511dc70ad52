# bash completion for gntmap
_gntmap()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' i options='--node --json --help'

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		list | info | map | foreign | watch | compare | bench | help)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $prev in
	-n | --node)
		mapfile -t COMPREPLY < <(compgen -W "mixedmap policy vmio" -- "$cur"; compgen -f -- "$cur")
		return
		;;
	-o | --to | -i | --from)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	case $command in
	'') options="$options --version list info map foreign watch compare bench help" ;;
	help) options='list info map foreign watch compare bench' ;;
	info) options="$options mixedmap policy vmio" ;;
	map) options="$options --to --from --direct --write --hold" ;;
	foreign) options="$options --partial --to --from --direct --write --hold" ;;
	watch) options="$options --interval --count --once" ;;
	compare | bench) options=--help ;;
	esac
	if [[ $command == map || $command == foreign ]] && [[ $cur != -* ]] && command -v xl >/dev/null; then
		# The domains that there are; after them come numbers, which nobody can guess.
		options=$(xl list 2>/dev/null | awk 'NR > 1 && $2 > 0 { print $2 }')
	fi
	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
}
complete -F _gntmap gntmap
