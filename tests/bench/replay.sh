#!/usr/bin/env bash
# Replays a night of notices beside what else a user could ask: who is online at its end?
#
#   tests/bench/replay.sh [NOTICES [CLIENTS]]     a million of 10,000 unless told otherwise
#
# Every program reads the same file, in memory already, and prints who is online. `presence` judges by all
# of its rules; the others by the one of the vendor's sample, that some channel was opened and not ended.
# Nothing is lost in this log and goodbyes count at once (`--close-grace 0s`), so that both come to the
# same answer. Ends with 1 if one of them does not. What is not here (jq, Java with Gson, a Python with
# the packages of requirements.txt) is put into the target folder, or left out and said so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
notices=${1:-1000000} clients=${2:-10000}
peers=tests/bench/peers/replay
target=${CARGO_TARGET_DIR:-$PWD/target}
tools=$target/tools/replay
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$tools"

has() {
    command -v "$1" >/dev/null 2>&1
}

# Debian's names of what is missing; only root may install them.
need_packages() {
    local missing=()
    has jq || missing+=(jq)
    has javac || missing+=(default-jdk-headless)
    [[ -e /usr/share/java/gson.jar ]] || missing+=(libgoogle-gson-java)
    has python3 || missing+=(python3)
    type -P time >/dev/null || missing+=(time)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    if [[ ${#missing[@]} -gt 0 ]] && [[ $EUID -eq 0 ]] && has apt-get; then
        { apt-get -qq update && apt-get -qq install -y --no-install-recommends "${missing[@]}"; } \
            >"$scratch/apt" 2>&1 </dev/null || cat "$scratch/apt" >&2
    fi
}

need_python() {
    if ! cmp -s "$peers/requirements.txt" "$tools/requirements.txt"; then
        python3 -m venv "$tools/python" &&
            "$tools/python/bin/pip" install --quiet --disable-pip-version-check -r "$peers/requirements.txt" &&
            cp "$peers/requirements.txt" "$tools" || echo "left out: Python's packages" >&2
    fi
}

need_packages
need_python
classes=/usr/share/java/gson.jar
if has javac && [[ -e $classes ]]; then
    javac -cp "$classes" -d "$tools" "$peers/AnyOpen.java"
fi
cargo build --release --quiet
presence=$target/release/presence
log=$target/tmp/night-$notices-$clients.jsonl
mkdir -p "$target/tmp"
if [[ ! -e $log ]]; then
    # The log of the benchmark `night`, which is another file for other numbers.
    rustc --edition 2024 -O -o "$tools/lives" - <<END
#[path = "$PWD/tests/bench/lives.rs"]
mod lives;
fn main() {
    let out = std::io::BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    lives::write($notices, $clients, out).expect("there is room");
}
END
    "$tools/lives" >"$log.unfinished"
    mv "$log.unfinished" "$log"
fi
wc -l <"$log" >/dev/null

# Runs a program, and prints the wall time, the CPU time and the peak of its memory. Of what it prints
# `ids`, whose time does not count, leaves who is online.
first='' expected='' failed=0 ids=cat
run() {
    local name=$1 online cpu user system wall peak
    shift
    if ! /usr/bin/env time -f '%e %U %S %M' -o "$scratch/time" "$@" >"$scratch/out" 2>"$scratch/err"; then
        printf '%-26s left out: %s\n' "$name" "$(tail -n 1 "$scratch/err")"
        return
    fi
    read -r wall user system peak < <(tail -n 1 "$scratch/time")
    cpu=$(awk "BEGIN { print $user + $system }")
    first=${first:-$cpu}
    $ids <"$scratch/out" | LC_ALL=C sort >"$scratch/ids"
    online=$(sha256sum <"$scratch/ids")
    expected=${expected:-$online}
    awk -v name="$name" -v wall="$wall" -v cpu="$cpu" -v peak="$peak" -v first="$first" -v n="$notices" \
        'BEGIN { printf "%-26s %8.2f %10.3f %9.1f %9.1f  ", name, wall, cpu * 1e6 / n, cpu / (first > 0 ? first : 0.01), peak / 1024 }'
    if [[ $online == "$expected" ]]; then
        echo "$(wc -l <"$scratch/ids") online"
    else
        echo "another answer: $(wc -l <"$scratch/ids") online"
        failed=1
    fi
}

online_of_verdicts() {
    sed -n 's/^{"type":"verdict","instance":"","client":"\([^"]*\)","state":"online".*/\1/p'
}

jq_online='reduce inputs as $n ({}; .[$n.clientId][$n.channelId][$n.eventType] = 1) |
    to_entries[] | select(any(.value[]; keys == ["connect"])) | .key'

printf '%s notices of %s clients, %s MB in memory\n' "$notices" "$clients" "$(($(stat -c %s "$log") / 1000000))"
printf '%-26s %8s %10s %9s %9s\n' program 'wall s' 'CPU s/M' '× first' 'peak MiB'
replay=("$presence" replay --quiet --json --close-grace 0s --now 2026-01-01T00:00:00Z "$log")
ids=online_of_verdicts
run presence "${replay[@]}"
run 'presence, one thread' "${replay[@]}" --threads 1
ids=cat
run DuckDB "$tools/python/bin/python" "$peers/any_open.py" duckdb "$log"
run Polars "$tools/python/bin/python" "$peers/any_open.py" polars "$log"
run 'Python, orjson' "$tools/python/bin/python" "$peers/any_open.py" orjson "$log"
run 'Python, json' "$tools/python/bin/python" "$peers/any_open.py" json "$log"
run 'Java, the sample'\''s rule' java -cp "$classes:$tools" AnyOpen "$log"
run jq jq -nr "$jq_online" "$log"
exit "$failed"
