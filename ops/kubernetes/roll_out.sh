#!/bin/sh
# Rolls a version out to every replica: ops/kubernetes/roll_out.sh VERSION [options of kubectl, as --namespace x].
# ncf-VERSION.mar lies in the model store, and a version of before goes on answering until the new one does everywhere:
# each replica registers it and compares its answers with the archive's, and only then any of them promotes it. A
# replica that refuses it ends the roll-out, and the version is taken back from the others.
set -eu
version=$1
shift

pods=$(kubectl "$@" get pods --selector app.kubernetes.io/name=ncf --field-selector status.phase=Running --output name)
[ -n "$pods" ] || { echo 'roll_out: no replica is running' >&2; exit 1; }
change() {
    pod=$1
    verb=$2
    shift 2
    echo "$pod: $verb $version"
    kubectl "$@" exec "$pod" --container ncf -- python -m ops.versions "$verb" --version "$version"
}

registered=
for pod in $pods; do
    if ! change "$pod" register "$@"; then
        for other in $registered; do change "$other" unregister "$@" || true; done
        echo "roll_out: $pod refused version $version, which was taken back from the others" >&2
        exit 1
    fi
    registered="$registered $pod"
done
for pod in $pods; do change "$pod" promote "$@"; done
