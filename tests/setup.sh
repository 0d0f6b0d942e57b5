#!/bin/sh
# Makes sure that what is needed is there: Debian's packages where this runs as root, else one line that says what to do.
set -eu

stop() {
	echo "strandline: $*" >&2
	exit 1
}

install() {
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || stop "the tests need $*: please install"
	echo "installing $*"
	export DEBIAN_FRONTEND=noninteractive
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null ||
		stop "$* cannot be installed (see above): connect to the network, or install by hand"
}

# The pinned toolchain is fetched by any Go from 1.21 on; what the module's dependencies need is in go.mod.
go_is_there() {
	go=${GO:-go}
	pin=$(sed -n 's/^toolchain //p' go.mod)
	least=$(sed -n 's/^go //p' go.mod)
	get="install one from https://go.dev/dl"
	command -v "$go" >/dev/null || stop "there is no Go in PATH: $get (1.21 or newer; it fetches $pin by itself)"
	has=$(cd / && GOTOOLCHAIN=local "$go" version 2>&1) || stop "$go does not work: $(echo "$has" | tail -n 1)"
	has=$(echo "$has" | sed -n 's/.* \(go[0-9][0-9.]*\).*/\1/p')
	older "${has#go}" 1.21 && stop "$has is too old to fetch $pin: $get (1.21 or newer)"
	if older "${has#go}" "$least"; then
		may=$(if [ -n "${THEIR_TOOLCHAIN:-}" ]; then echo "$THEIR_TOOLCHAIN"; else unset GOTOOLCHAIN && cd / && "$go" env GOTOOLCHAIN; fi)
		[ "$may" != local ] || stop "$has is older than go$least, and GOTOOLCHAIN=local keeps it from fetching $pin: make GOTOOLCHAIN=auto, or $get"
	fi
	said=$(GOTOOLCHAIN=$pin "$go" list -deps ./cmd/strandline ./js/build ./web-demo/build 2>&1 >/dev/null) || {
		last=$(echo "$said" | tail -n 1)
		case $last in
		*dial* | *lookup* | *connect* | *timeout* | *GOPROXY* | *unreachable* | *EOF*)
			stop "what the build needs cannot be fetched ($last): connect to the network once; later builds need none"
			;;
		*) stop "Go cannot build here: $last: look at what go env says of its settings" ;;
		esac
	}
}

# older A B: version A comes before version B.
older() {
	[ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

for need in "$@"; do
	case $need in
	go) go_is_there ;;
	writable)
		# A file says it: root is not asked for rights, and a file system may be read-only.
		(mkdir -p bin && : >bin/.writable && rm bin/.writable) 2>/dev/null || stop "nothing can be written to $PWD: copy the checkout to a place of your own"
		;;
	chromium)
		found=
		for name in "${CHROME:-}" chromium chromium-browser google-chrome; do
			if [ -n "$name" ] && command -v "$name" >/dev/null; then found=yes; fi
		done
		[ -n "$found" ] || install chromium
		;;
	firefox) command -v firefox-esr >/dev/null || command -v firefox >/dev/null || install firefox-esr ;;
	webkit) # MiniBrowser, the engine's own small browser, on a screen that nobody sees
		ls /usr/lib/*/webkit2gtk-4.*/MiniBrowser >/dev/null 2>&1 && command -v Xvfb >/dev/null || install webkit2gtk-driver xvfb xauth
		;;
	gcc) command -v gcc >/dev/null || install gcc libc6-dev ;;
	brotli) command -v brotli >/dev/null || install brotli ;;
	qemu) command -v qemu-arm-static >/dev/null || install qemu-user-static ;;
	npm) command -v npm >/dev/null || install npm ;;
	packages=*) # a folder with a package-lock.json
		folder=${need#packages=}
		log=$(mktemp)
		(cd "$folder" && npm ci --no-audit --no-fund --silent --loglevel=error) >"$log" 2>&1 || {
			last=$(grep -v '^npm error A complete log' "$log" | tail -n 1)
			rm "$log"
			stop "npm cannot install what $folder/package-lock.json names ($last): connect to the network, or look with: cd $folder && npm ci"
		}
		rm "$log"
		;;
	*) stop "tests/setup.sh knows no $need" ;;
	esac
done
