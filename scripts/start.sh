#!/usr/bin/env bash
# make start: builds, starts the servers, runs the demo, then serves the book. Without a terminal
# it ends after the demo.
set -euo pipefail
cd "$(dirname "$0")/.."
port=${PORT:-3000}

scripts/setup.sh
cargo build
# The first red test then only has to be compiled itself, not with all its dependencies.
cargo test --quiet -p lab01 --no-run
cargo run -q -p rig-program -- up
# A copy for a class may be without the answer of lab 06.
if [ -f solutions/lab06/Cargo.toml ]; then
    make --silent demo
fi

if [ ! -t 1 ]; then
    echo "No terminal here: \`make serve\` serves the book, \`make down\` ends the servers."
    exit 0
fi

mdbook=mdbook
[ ! -x .venv/bin/mdbook ] || mdbook=.venv/bin/mdbook
cat <<END

This was the reference answer. Now yours:

  1. open  http://localhost:$port  and read "Before you begin"
  2. in another terminal:  cargo test -p lab01 step1

The book is served until you press Ctrl-C. \`make down\` ends the servers.

END
exec "$mdbook" serve book -p "$port"
