#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Makes folders and remembers which were not there before, so that uninstall takes away these and no others.
#
#   folders.sh make DESTDIR RECORD FOLDER...    RECORD and FOLDERs are paths below DESTDIR
#   folders.sh remove DESTDIR RECORD            those of the record that are empty by now, and the record
set -eu

cmd=$1 dest=$2 record=$3
shift 3

# parents PATH: it and what is above it, topmost first
parents() {
	case $1 in
	/ | '') return ;;
	esac
	parents "${1%/*}"
	echo "$1"
}

case $cmd in
make)
	mkdir_and_tell() {
		parents "$1" | while read -r folder; do
			[ -d "$dest$folder" ] || {
				mkdir -p "$dest$folder"
				chmod 755 "$dest$folder"
				echo "$folder"
			}
		done
	}
	made=$(for folder in "${record%/*}" "$@"; do mkdir_and_tell "$folder"; done)
	[ -z "$made" ] || echo "$made" >>"$dest$record"
	;;
remove)
	[ -e "$dest$record" ] || exit 0
	made=$(sort -ru "$dest$record")
	rm "$dest$record"
	for folder in $made; do
		[ ! -d "$dest$folder" ] || rmdir --ignore-fail-on-non-empty "$dest$folder"
	done
	;;
*)
	echo "folders.sh make or folders.sh remove" >&2
	exit 2
	;;
esac
