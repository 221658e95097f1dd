#!/usr/bin/env bash
# Makes everything that the project needs to run from its checkout: system packages, the virtual
# environment .venv, and the GDAL binding of the system's libgdal. Run it as often as you like:
# what is there already is left alone, and a second run takes well under a second.
#
#   PYTHON=/path/to/python3.12 scripts/setup.sh     chooses the interpreter of a new .venv
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."
readonly venv=.venv
readonly stamp=$venv/set-up-stamp
readonly log=$PWD/build/setup.log

say() { printf 'set-up: %s\n' "$*"; }

die() {
  printf 'set-up failed: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# step "what is being done" "what to do if it fails" command...
step() {
  local what=$1 remedy=$2 begin=$SECONDS
  shift 2
  say "$what"
  printf '\n== %s: %s\n' "$what" "$*" >>"$log"
  if ! "$@" >>"$log" 2>&1 </dev/null 9<&-; then
    printf -- '--- end of %s\n' "$log" >&2
    tail -n 25 "$log" >&2
    die "$what did not work." "$remedy"
  fi
  [ $((SECONDS - begin)) -lt 2 ] || say "  done in $((SECONDS - begin)) s"
}

# What the environment must be made again for: its recipe, its folder, the system's libgdal.
fingerprint() {
  { cat pyproject.toml constraints.txt scripts/setup.sh
    pwd
    gdal-config --version; } 2>/dev/null | sha256sum | cut -d ' ' -f 1
}

up_to_date() {
  [ -f $stamp ] && [ "$(<$stamp)" = "$(fingerprint)" ] && $venv/bin/python -c '' 2>/dev/null
}

readonly recent='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() {
  local candidate
  local -a candidates=(python3 python3.13 python3.12 python3.11 /usr/bin/python3)
  [ -z "${PYTHON:-}" ] || candidates=("$PYTHON")
  for candidate in "${candidates[@]}"; do
    if command -v "$candidate" >/dev/null && "$candidate" -c "$recent" 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

has_geoid() {
  local folder
  [ ! -e "${FOURNAISE_GEOID:-}" ] || return 0
  for folder in ${PROJ_DATA:+"$PROJ_DATA"} /usr/share/proj /usr/local/share/proj; do
    [ ! -e "$folder/egm96_15.gtx" ] || return 0
  done
  return 1
}

# Debian's names of what is missing, found by looking for the thing itself.
missing_packages() {
  local python
  command -v g++ >/dev/null || echo g++
  command -v gdal-config >/dev/null || echo libgdal-dev
  has_geoid || echo proj-data
  if ! python=$(find_python); then
    echo python3 python3-dev python3-venv
    return
  fi
  "$python" -c 'import os, sysconfig, sys
sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' || echo python3-dev
  "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

install_packages() {
  local -a packages=("$@") root=()
  local by_hand="apt-get update && apt-get install --no-install-recommends ${packages[*]}"
  command -v apt-get >/dev/null || die "these are missing: ${packages[*]} (Debian's names)." \
    "Install them with your system's package manager: a C++ compiler, Python 3.11 or newer with" \
    "headers and venv, GDAL 3.6 or newer with headers, PROJ's egm96_15.gtx; then run this again."
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "the system packages ${packages[*]} are missing." \
      "Neither root nor sudo here; as root: $by_hand"
    sudo -n true 2>/dev/null || sudo -v || die "sudo was refused, and the system packages ${packages[*]} are missing." \
      "As root: $by_hand"
    root=(sudo)
  fi
  root+=(env DEBIAN_FRONTEND=noninteractive)
  step "refresh the list of system packages" \
    "Is the network up, and does apt-get update work by hand?" \
    "${root[@]}" apt-get -o DPkg::Lock::Timeout=300 update
  step "install the system packages ${packages[*]}" "As root, by hand: $by_hand" \
    "${root[@]}" apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${packages[@]}"
}

pip() { $venv/bin/python -m pip --no-input --disable-pip-version-check "$@"; }

# The binding must be of the system's own libgdal, and must have been built with numpy in sight.
binding_works() {
  $venv/bin/python - "$(gdal-config --version)" <<'PYTHON'
import sys
from osgeo import gdal, gdal_array
sys.exit(gdal.__version__ != sys.argv[1])
PYTHON
}

build_binding() {
  # Isolation or a cached wheel would give a binding without array access, silently.
  pip install --force-reinstall --no-deps --no-build-isolation --no-cache-dir --no-binary gdal \
    "gdal[numpy]==$(gdal-config --version)"
  binding_works
}

main() {
  local -a packages
  local python network="Is the network up? Run again: what is done already is kept."
  exec 9<"$PWD"
  flock 9 || true # a second set-up at the same time waits, where the file system knows locks
  if up_to_date; then exit 0; fi
  mkdir -p "$(dirname "$log")"
  date >"$log"

  [ -z "${PYTHON:-}" ] || find_python >/dev/null ||
    die "PYTHON=$PYTHON is not a Python 3.11 or newer."
  read -r -a packages <<<"$(missing_packages | xargs)"
  [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
  python=$(find_python) || die "no Python 3.11 or newer was found." \
    "Debian 12 has one; elsewhere name it: PYTHON=/path/to/python3.12 make setup"
  if ! $venv/bin/python -m pip --version >/dev/null 2>&1 ||
    ! grep -qF "$PWD/$venv" $venv/bin/activate; then
    step "make $venv with $("$python" --version)" "Does this interpreter have venv and ensurepip?" \
      "$python" -m venv --clear $venv
  fi
  step "install pip, setuptools, wheel and numpy" "$network" \
    pip install -c constraints.txt --upgrade pip setuptools wheel numpy
  step "install the project and its dependencies" "$network" \
    pip install -c constraints.txt --no-build-isolation -e ".[dev]"
  if ! binding_works 2>/dev/null; then
    step "build the binding of GDAL $(gdal-config --version)" \
      "It needs g++, the headers of GDAL and of $python, and numpy in $venv." build_binding
  fi
  fingerprint >$stamp
  say "ready ($venv)"
}

main
