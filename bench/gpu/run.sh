#!/bin/sh
# Runs the GPU check on a machine that has Python with PyTorch. It needs no network, no Java and no compiler, and ends
# within eight minutes.
#
#   sh run.sh [FOLDER] [OPTION ...]
#
# FOLDER gets gpu.json, gpu.md and log.txt; without it, $OUT or ./gpu-check does. The options are those of
# `python -m bench.gpu`. PYTHON names the Python with PyTorch; without it, python3 does.
set -eu
began=$(date +%s)
here=$(cd "$(dirname "$0")" && pwd)
python=$(command -v "${PYTHON:-python3}") || { echo "run.sh: no program ${PYTHON:-python3}: set PYTHON" >&2; exit 2; }
case ${1:-} in '' | -*) out=${OUT:-gpu-check} ;; *) out=$1; shift ;; esac

"$python" - "$here/contents.json" <<'CHECK' || exit 2
import importlib.util, json, platform, sys
told = json.load(open(sys.argv[1]))
if not platform.python_version().startswith(told["python"] + "."):
    sys.exit(f"run.sh: this is Python {platform.python_version()}, the packages are for {told['python']}: set PYTHON")
for name, user in told["assumed"].items():
    if importlib.util.find_spec(name) is None:
        if user == "everything":
            sys.exit(f"run.sh: {sys.executable} has no {name}, which is not carried: set PYTHON")
        print(f"run.sh: {sys.executable} has no {name}, which is not carried: {user} will fail")
CHECK
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 143' INT TERM
"$python" -m tarfile -e "$here/carried.tar.xz" "$work" --filter data

# An environment of its own, since the workers of a server see no PYTHONPATH. The packages that are carried come before
# those of the machine.
"$python" -m venv --without-pip "$work/venv"
"$python" - "$work" <<'PATHS'
import sys, sysconfig
work = sys.argv[1]
own = sysconfig.get_path("purelib", "venv", vars={"base": f"{work}/venv", "platbase": f"{work}/venv"})
theirs = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
with open(f"{own}/carried.pth", "w") as file:
    file.write("\n".join([f"{work}/site", *theirs, ""]))
PATHS

cd "$work/tree"
[ ! -d data/kmrd ] || set -- --kmrd data/kmrd "$@"
budget=$((470 - $(date +%s) + began))
{
    status=0
    "$work/venv/bin/python" -m bench.gpu --budget "$budget" --out "$out" "$@" 2>&1 || status=$?
    echo $status > "$work/status"
} | tee "$out/log.txt"
exit "$(cat "$work/status")"
