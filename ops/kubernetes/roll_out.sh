#!/bin/sh
# Rolls a version out to every replica: ops/kubernetes/roll_out.sh VERSION [options of kubectl, such as --namespace x].
# To return, run it with the former version.
# ncf-VERSION.mar must be in the model store. First each replica registers the version and compares its answers with the
# archive's. Then each replica promotes it, and at last each one removes the former version, which answers until then.
# If a replica refuses, the roll-out ends and undoes the steps of the others.
set -eu
version=$1
shift

pods=$(kubectl "$@" get pods --selector app.kubernetes.io/name=ncf --field-selector status.phase=Running --output name)
[ -n "$pods" ] || { echo 'roll_out: no replica is running' >&2; exit 1; }
on() {
    replica=$1
    verb=$2
    named=$3
    shift 3
    echo "$replica: $verb $named"
    kubectl "$@" exec "$replica" --container ncf -- python -m ops.versions "$verb" --version "$named"
}
default_of() {
    replica=$1
    shift
    kubectl "$@" exec "$replica" --container ncf -- python -m ops.versions list | awk '$2 == "yes" { print $1 }'
}

former=
for pod in $pods; do
    found=$(default_of "$pod" "$@")
    if [ -z "$found" ] || [ "$found" != "${former:-$found}" ]; then
        echo "roll_out: $pod answers with ${found:-no version}, and the one before it with ${former:-none}" >&2
        exit 1
    fi
    former=$found
done
[ "$former" != "$version" ] || { echo "roll_out: version $version is the default everywhere"; exit 0; }

registered=
promoted=
# Undoes the steps so far, and ends with this message.
give_up() {
    told=$1
    shift
    for other in $promoted; do
        on "$other" promote "$former" "$@" || echo "roll_out: $other still answers with version $version" >&2
    done
    for other in $registered; do
        on "$other" unregister "$version" "$@" || echo "roll_out: $other still holds version $version" >&2
    done
    echo "roll_out: $told" >&2
    exit 1
}
for pod in $pods; do
    on "$pod" register "$version" "$@" ||
        give_up "$pod refused version $version, which was taken back from the others" "$@"
    registered="$registered $pod"
done
for pod in $pods; do
    on "$pod" promote "$version" "$@" ||
        give_up "$pod did not promote version $version, which was taken back everywhere" "$@"
    promoted="$promoted $pod"
done
for pod in $pods; do
    on "$pod" unregister "$former" "$@" || echo "roll_out: $pod still holds version $former, see above" >&2
done
