#!/usr/bin/env bash
# Sets up and runs the workbook: at home in a virtual environment of its own, in Colab in the one that is there.
#   bash colab_setup.sh run [--photos_dir DIR --source_dir DIR] [any parameter of a notebook]
#   bash colab_setup.sh test
#   bash colab_setup.sh install
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s\n' "$*" >&2; }

usage() { sed -n '3,5s/^#   /  /p' "${BASH_SOURCE[0]}" >&2; exit 2; }

find_python() {
  local name
  for name in python3 python3.13 python3.12 python3.11 python; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$name"; return; fi
  done
  say "Python 3.11 or newer is needed and was not found. / Нужен Python 3.11 или новее."
  say "Debian, Ubuntu: sudo apt install python3 python3-venv; Windows, macOS: python.org"
  exit 2
}

# Leaves the interpreter's path in $python.
prepare() {
  local wanted=$1 base venv stamp
  base=$(find_python)
  if [ -n "${COLAB_RELEASE_TAG:-}" ]; then
    python=$base
    # pip leaves alone what meets the requirements already.
    "$python" -m pip install -qq --disable-pip-version-check -r "$project/$wanted"
    return
  fi
  venv=${NPYLABEL_VENV:-$project/.venv}
  python=$venv/bin/python
  if ! "$python" -c 'import pip' 2>/dev/null; then
    if [ -d "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv")" ]; then
      say "$venv holds other files. Set NPYLABEL_VENV to a new folder. / В этой папке другие файлы."
      exit 2
    fi
    say "Making a virtual environment in $venv / Создаю виртуальное окружение"
    "$base" -m venv --clear "$venv" || { say "On Debian and Ubuntu: sudo apt install python3-venv"; exit 2; }
  fi
  stamp=$venv/installed-${wanted%.txt}
  if ! cat "$project"/requirements*.txt | cmp --silent - "$stamp"; then
    say "Installing the libraries: some minutes, up to 6 GB / Устанавливаю библиотеки"
    "$python" -m pip install -qq --disable-pip-version-check -r "$project/$wanted"
    cat "$project"/requirements*.txt > "$stamp"
  fi
}

command=${1:-}
[ $# -gt 0 ] && shift
case $command in
  run)
    prepare requirements.txt
    exec "$python" "$project/npylabel_core.py" run "$@" ;;
  test)
    prepare requirements-dev.txt
    cd "$project"
    "$python" -m ruff check .
    exec "$python" -m pytest "$@" ;;
  install)
    prepare requirements.txt ;;
  *) usage ;;
esac
