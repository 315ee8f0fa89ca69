#!/usr/bin/env bash
# Installs the programs that the end-to-end suites drive: Debian packages for the clients that Debian has, and
# .cache/tools/bin for those that come as Go modules (test/e2e/tools). With `bench`, instead, those that the benchmark runs
# beside Stowage (test/bench/tools). Does nothing for what is there already.
# Needs Debian or a descendant, and root when a package is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly TOOLS=test/e2e/tools
readonly BENCH_TOOLS=test/bench/tools
readonly CACHE=$PWD/.cache/tools
readonly LOG=$CACHE/install.log
readonly TOOLCHAIN=v0.0.1-go1.26.8

# The official conformance suite, by the commit that has the suite as redesigned in 2026.
readonly SUITE=github.com/opencontainers/distribution-spec/conformance
readonly SUITE_COMMIT=97274622c11112caa21efb8c52acca3c6b8fa7f1

# The command that shows that a package is there, and the package.
readonly PACKAGES="
  dockerd docker.io
  docker docker.io
  docker-registry docker-registry
  podman podman
  skopeo skopeo
  buildah buildah
  containerd containerd
  ctr containerd
  umoci umoci
  chromium chromium
  jq jq
  curl curl
  openssl openssl
"

readonly BENCH_PACKAGES="
  docker-registry docker-registry
  skopeo skopeo
"

# zot, the minimal build: without its extensions.
readonly ZOT=zotregistry.dev/zot/v2/cmd/zot@v2.1.14
readonly ZOT_TAGS=containers_image_openpgp

readonly BUILD_FLAGS=(-mod=readonly -buildvcs=false -trimpath -ldflags "-s -w")

PATH=$PATH:/usr/sbin:/sbin:/usr/local/go/bin
export HOME=${HOME:-$CACHE/home} # Go wants one.
export GOTOOLCHAIN=local GOFLAGS=-modcacherw CGO_ENABLED=0
mkdir -p "$CACHE/bin"
: >"$LOG"

say() {
  echo "install-tools: $*"
}

fail() {
  say "$*" >&2
  exit 1
}

# Runs a command silently; shows what it said when it fails.
quietly() {
  "$@" >>"$LOG" 2>&1 || { tail -n 30 "$LOG" >&2; fail "failed: $*"; }
}

install_packages() {
  command -v apt-get >/dev/null || fail "missing $*, and there is no apt-get to install them with."
  [ "$(id -u)" = 0 ] || fail "missing $*: run this as root, or: apt-get install $*"
  say "installing $*"
  export DEBIAN_FRONTEND=noninteractive
  # The suites start daemons of their own; the packages must not start the machine's.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  quietly apt-get update -qq
  quietly apt-get install -qq --yes --no-install-recommends "$@"
}

# Installs what is missing of a list as above.
install_debian_programs() {
  local missing=()
  while read -r name package; do
    [ -z "$name" ] || command -v "$name" >/dev/null || missing+=("$package")
  done <<<"$1"
  [ ${#missing[@]} = 0 ] || install_packages $(printf '%s\n' ca-certificates "${missing[@]}" | sort -u)
}

# Whether the Go at $1 is new enough for every tool.
is_new_enough() {
  local needed own
  needed=$(sed -n 's/^go //p' $TOOLS/*/go.mod $BENCH_TOOLS/*/go.mod | sort -V | tail -n 1)
  own=$("$1" version 2>/dev/null | sed -n 's/.* go\([0-9][0-9.]*\).*/\1/p')
  [ -n "$own" ] && [ "$(printf '%s\n' "$needed" "$own" | sort -V | head -n 1)" = "$needed" ]
}

# Sets GO to a Go that can build the tools: the machine's, else one that the machine's (or Debian's) fetches.
find_go() {
  command -v go >/dev/null || install_packages ca-certificates golang-go
  GO=$(command -v go)
  if is_new_enough "$GO"; then return; fi
  local version
  version=$TOOLCHAIN.linux-$(go env GOARCH)
  say "fetching Go ${version#v0.0.1-go} (the machine's is $(go env GOVERSION))"
  pushd $TOOLS/toolchain >/dev/null
  quietly go mod download "golang.org/toolchain@$version"
  local root
  root=$(go env GOMODCACHE)/golang.org/toolchain@$version
  popd >/dev/null
  # A module carries neither execution bits nor a nested go.mod.
  chmod -R u+w "$root"
  chmod +x "$root"/bin/* "$root"/pkg/tool/*/*
  [ -e "$root/src/go.mod" ] || cp "$root/src/_go.mod" "$root/src/go.mod"
  GO=$root/bin/go
  is_new_enough "$GO" || fail "the Go that was fetched does not run: $GO"
}

# Builds the tools of one module, unless they were built from the same versions before. What follows the module's folder
# is what `go` is told to do.
build_module() {
  local module=$1 stamp
  shift
  stamp=$CACHE/bin/.$(basename "$module").built
  if cat "$module/go.mod" "$module/go.sum" | cmp --silent - "$stamp"; then return; fi
  [ -n "${GO:-}" ] || find_go
  say "building $(basename "$module")"
  pushd "$module" >/dev/null
  quietly "$GO" "$@"
  popd >/dev/null
  cat "$module/go.mod" "$module/go.sum" >"$stamp"
}

# The redesigned suite has no version yet, and not every module proxy serves a commit: then the former one, which has one,
# must do.
build_redesigned_suite() {
  if [ -x "$CACHE/bin/conformance" ]; then return; fi
  [ -n "${GO:-}" ] || find_go
  say "building the conformance suite"
  if ! GOBIN=$CACHE/bin "$GO" install "$SUITE@$SUITE_COMMIT" >>"$LOG" 2>&1; then
    say "the Go module proxy does not serve the conformance suite as redesigned in 2026; test:conformance runs the former one"
  fi
}

# The tools of each module below a folder.
build_tools() {
  local module
  for module in "$1"/*/; do
    if grep -q '^tool ' "$module/go.mod"; then build_module "$module" build "${BUILD_FLAGS[@]}" -o "$CACHE/bin/" tool; fi
  done
}

# Not every module proxy serves zot; one that is on the path serves as well.
build_zot() {
  if command -v zot >/dev/null || [ -x "$CACHE/bin/zot" ]; then return; fi
  [ -n "${GO:-}" ] || find_go
  say "building zot"
  if ! GOBIN=$CACHE/bin "$GO" install -tags "$ZOT_TAGS" "$ZOT" >>"$LOG" 2>&1; then
    say "the Go module proxy does not serve $ZOT; the benchmark runs without zot"
  fi
}

case ${1:-} in
  "")
    install_debian_programs "$PACKAGES"
    build_tools $TOOLS
    build_module $TOOLS/conformance-1.1 test "${BUILD_FLAGS[@]}" -c -o "$CACHE/bin/conformance-1.1" $SUITE
    build_redesigned_suite
    ;;
  bench)
    install_debian_programs "$BENCH_PACKAGES"
    build_tools $BENCH_TOOLS
    build_zot
    ;;
  *) fail "usage: scripts/install-tools.sh [bench]" ;;
esac
say "done"
