#!/bin/sh
# Packs the program into one file that Python runs, tries it, and hands on its size.
set -eu
python=$1
rm -rf build
mkdir -p build/source
cp -R tally build/source/tally
rm -rf build/source/tally/__pycache__
printf 'import runpy\nrunpy.run_module("tally", run_name="__main__")\n' > build/source/__main__.py
"$python" -m zipapp build/source --output build/tally.pyz
printf 'it works' | "$python" build/tally.pyz
wc -c < build/tally.pyz | tr -d ' ' > "$OVERMIND_OUTPUT_DIR/size"
