#!/bin/sh
# Build a real Kubernetes API server, etcd, Flagger and Argo Rollouts from the Go module proxy into a folder:
#
#     tests/support/kubernetes/build.sh FOLDER [PROGRAM...]
#
# PASSPORT_TEST_KUBERNETES=FOLDER then runs tests/e2e/test_real_*.py. Needs Go 1.23 or later, 10 GB of disk for Go's caches,
# and about half an hour of two processors. What is there already is not built again. The definitions of the two controllers'
# objects, and of Argo CD's, are copied beside the programs.
set -eu

ETCD=3.5.17
KUBERNETES=1.31.4
FLAGGER=1.36.1
ARGO_ROLLOUTS=1.8.3
ARGO_CD=2.13.3

if [ $# -lt 1 ]; then
    sed -n '2,8p' "$0" >&2
    exit 2
fi
mkdir -p "$1/sources" "$1/crds"
folder=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- etcd flagger rollouts-controller kube-apiserver kube-controller-manager

export CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=mod -buildvcs=false" GOTOOLCHAIN=local

# Print the folder of module $1 in Go's cache.
directory_of() {
    (cd / && GOFLAGS= go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
}

# Copy the source of module $1 to the folder's sources/$2, once.
fetch() {
    target="$folder/sources/$2"
    [ -d "$target" ] && return
    cp -r "$(directory_of "$1")" "$target.part"
    chmod -R u+w "$target.part"
    mv "$target.part" "$target"
}

# Build package $2 of sources/$1 as program $3, with these flags of the linker.
build() {
    (
        cd "$folder/sources/$1"
        nice -n "${BUILD_NICE:-15}" go build -p "${BUILD_PROCESSES:-1}" -ldflags "-s -w ${4:-}" -o "$folder/$3" "$2"
    )
}

build_etcd() {
    fetch "go.etcd.io/etcd/server/v3@v$ETCD" etcd
    for module in etcd etcd/api/v3 etcd/client/pkg/v3 etcd/client/v2 etcd/client/v3 etcd/pkg/v3 etcd/raft/v3 tests/v3 \
        etcd/tests/v3; do
        (cd "$folder/sources/etcd" && go mod edit -dropreplace="go.etcd.io/$module")
    done
    build etcd . etcd
}

build_flagger() {
    fetch "github.com/fluxcd/flagger@v$FLAGGER" flagger
    build flagger ./cmd/flagger flagger
    cp "$folder/sources/flagger/artifacts/flagger/crd.yaml" "$folder/crds/flagger.yaml"
}

build_rollouts_controller() {
    fetch "github.com/argoproj/argo-rollouts@v$ARGO_ROLLOUTS" argo-rollouts
    # The controller embeds the dashboard's pages, which the module does not carry.
    mkdir -p "$folder/sources/argo-rollouts/server/static"
    touch "$folder/sources/argo-rollouts/server/static/index.html"
    build argo-rollouts ./cmd/rollouts-controller rollouts-controller
    cp "$folder"/sources/argo-rollouts/manifests/crds/*-crd.yaml "$folder/crds/"
}

build_kubernetes() {
    fetch "k8s.io/kubernetes@v$KUBERNETES" kubernetes
    (
        cd "$folder/sources/kubernetes"
        rm -rf go.work go.work.sum vendor
        sed -i "s#=> ./staging/src/\(k8s.io/[a-z-]*\)\$#=> \1 v0.${KUBERNETES#1.}#" go.mod
    )
    # Flagger asks the API server for its version, and ends where that is none.
    version=k8s.io/component-base/version
    build kubernetes "./cmd/$1" "$1" "-X $version.gitVersion=v$KUBERNETES -X $version.gitMajor=1 -X $version.gitMinor=31"
}

# Of Argo CD nothing runs: its definitions are what manifests are tried against.
if [ ! -f "$folder/crds/appproject-crd.yaml" ]; then
    definitions="$(directory_of "github.com/argoproj/argo-cd/v2@v$ARGO_CD")/manifests/crds"
    cp "$definitions/application-crd.yaml" "$definitions/appproject-crd.yaml" "$folder/crds/"
    chmod u+w "$folder"/crds/app*-crd.yaml
fi

for program; do
    [ -x "$folder/$program" ] && continue
    case $program in
    etcd) build_etcd ;;
    flagger) build_flagger ;;
    rollouts-controller) build_rollouts_controller ;;
    kube-apiserver | kube-controller-manager) build_kubernetes "$program" ;;
    *)
        echo "no such program: $program" >&2
        exit 2
        ;;
    esac
done
