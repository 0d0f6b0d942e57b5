#!/bin/sh
# Makes sure that what the tests need is there: Debian's packages where this runs as root, else a message.
set -eu

install() {
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "installing $*"
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq
		apt-get install -y -qq --no-install-recommends "$@" >/dev/null
	else
		echo "the tests need $*: please install" >&2
		exit 1
	fi
}

for need in "$@"; do
	case $need in
	chromium)
		found=
		for name in "${CHROME:-}" chromium chromium-browser google-chrome; do
			if [ -n "$name" ] && command -v "$name" >/dev/null; then found=yes; fi
		done
		[ -n "$found" ] || install chromium
		;;
	gcc) command -v gcc >/dev/null || install gcc libc6-dev ;;
	brotli) command -v brotli >/dev/null || install brotli ;;
	npm) command -v npm >/dev/null || install npm ;;
	esac
done
