#!/bin/sh
# Installs what Retrace is built from on Debian 12. usage: sh app/install.sh [tests]
# With "tests", also what the test suite needs beyond that.
set -eu
packages='build-essential cmake ninja-build pkg-config
    libsdl2-dev libepoxy-dev libxcb1-dev libxcb-present-dev libx11-xcb-dev
    libopenblas-dev libhdf5-dev libcminpack-dev libcyaml-dev libyaml-dev libcairo2-dev libpng-dev
    libjansson-dev libsodium-dev libusb-1.0-0-dev libcunit1-dev
    libgl1-mesa-dri libglx-mesa0 libegl-mesa0 libegl1 libgl1 fonts-dejavu-core xvfb'
if [ "${1:-}" = tests ]; then
    packages="$packages clang git procps python3 python3-h5py umockdev libumockdev-dev xauth"
fi
missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
        missing="$missing $package"
done
[ -z "$missing" ] && exit 0
echo "installing:$missing"
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -q update
# shellcheck disable=SC2086
$as_root apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends $missing
