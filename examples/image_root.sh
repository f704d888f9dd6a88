#!/bin/sh
# Collects what `lamina serve` needs into a folder that is a whole image, without a distribution, a shell or pip:
#   sh image_root.sh PACKAGES TARGET
# PACKAGES is where pip installed lamina[serve,images]; TARGET is made. SciPy is left out: JAX takes it for linear
# algebra (inv, qr, cholesky, ...) alone. KEEP_SCIPY=1 keeps it.
set -eu
mkdir -p "$2"
packages=$1 target=$(cd "$2" && pwd)  # the whole path, since the commands below run in folders of it
python=$(python3 -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))')
prefix=$(python3 -c 'import sys; print(sys.base_prefix)')
stdlib=$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib", vars={"installed_base": __import__("sys").base_prefix}))')

mkdir -p "$target/packages" "$target$prefix/bin" "$target$stdlib" "$target/tmp" "$target/etc" "$target/usr/bin"
cp -r "$packages/." "$target/packages"
cp -r "$stdlib/." "$target$stdlib"
cp -L "$python" "$target$prefix/bin/python3"
ln -s "$prefix/bin/python3" "$target/usr/bin/python"
echo "served:x:1000:1000::/tmp:/" > "$target/etc/passwd"
chmod 1777 "$target/tmp"

cd "$target$stdlib"
rm -rf site-packages test idlelib tkinter turtledemo ensurepip lib2to3 pydoc_data config-* lib-dynload/_test* lib-dynload/_tkinter*
cd "$target/packages"
[ "${KEEP_SCIPY:-}" ] || rm -rf scipy scipy.libs
rm -rf bin jaxlib/include jax/tools jax/example_libraries numpy/f2py numpy/distutils
rm -rf PIL/_avif* PIL/_imagingft* PIL/_imagingtk* PIL/_imagingcms*
rm -rf pillow.libs/libavif* pillow.libs/libharfbuzz* pillow.libs/libfreetype* pillow.libs/liblcms2* pillow.libs/libbrotli*
find . -path ./lamina -prune -o \( -name "*.pyi" -o -name "*.h" -o -name "*.a" \) -type f -exec rm {} +
find "$target" \( -name __pycache__ -o -name tests \) -type d -prune -exec rm -r {} +
find "$target" -type f \( -name "*.so" -o -name "*.so.*" -o -name python3 \) -exec strip --strip-unneeded {} +

find "$target" -type f \( -name "*.so" -o -name "*.so.*" -o -name python3 \) -exec ldd {} + 2>/dev/null |
    awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\/.*ld-linux/ {print $1}' | sort -u | grep -v "^$target" |
    while read -r library; do
        mkdir -p "$target$(dirname "$library")"
        [ -e "$target$library" ] || { cp -L "$library" "$target$library"; strip --strip-unneeded "$target$library"; }
    done
echo "$prefix/lib" > "$target/etc/ld.so.conf"
PATH=$PATH:/usr/sbin:/sbin ldconfig -r "$target"
