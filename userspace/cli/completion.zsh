#compdef gntmap
# zsh completion for gntmap

_gntmap() {
	local -a common pages
	common=(
		'(-n --node)'{-n,--node}'[path or strategy]:node:(mixedmap policy vmio)'
		'(-j --json)'{-j,--json}'[answer in JSON]'
		'(-h --help)'{-h,--help}'[help]'
	)
	pages=(
		'(-o --to -i --from)'{-o,--to}'[content into a file]:file:_files'
		'(-o --to -i --from)'{-i,--from}'[content from a file]:file:_files'
		'(-d --direct)'{-d,--direct}'[open the file with O_DIRECT]'
		'(-w --write)'{-w,--write}'[map with write access]'
		'(-H --hold)'{-H,--hold=-}'[keep the pages mapped]::seconds:'
	)
	local -a commands
	commands=(
		'list:the strategies\: modules, nodes, parameters'
		'info:what a node is and may do'
		'map:map grants of a domain'
		'foreign:map frames of a domain'
		'watch:who has which node open'
		'compare:the strategies side by side'
		'bench:speed and memory'
	)
	_arguments -C $common '(-V --version)'{-V,--version}'[version]' '1:command:->command' '*::argument:->argument'
	case $state in
	command) _describe command commands ;;
	argument)
		case $words[1] in
		info) _arguments $common '1:node:(mixedmap policy vmio)' ;;
		map) _arguments $common $pages '1:domain id:' '*:reference:' ;;
		foreign) _arguments $common $pages '(-p --partial)'{-p,--partial}'[holes are allowed]' '1:domain id:' '*:frame:' ;;
		watch) _arguments $common '(-s --interval)'{-s,--interval}'[seconds]:seconds:' '(-c --count)'{-c,--count}'[looks]:number:' \
			'(-1 --once)'{-1,--once}'[one look]' '1:process id:_pids' ;;
		*) _arguments $common ;;
		esac
		;;
	esac
}

_gntmap "$@"
