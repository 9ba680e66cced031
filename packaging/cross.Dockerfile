# What cross (cross.toml) compiles in: Debian 13 with the same compiler and the same libraries as
# ./dev cross, so that the executables suit the image and every arm64 Debian 13.
FROM debian:trixie-slim

RUN dpkg --add-architecture arm64 \
  && apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates \
    crossbuild-essential-arm64 pkg-config libwebkit2gtk-4.1-dev:arm64 libpam0g-dev:arm64 \
  && rm -rf /var/lib/apt/lists/*

ENV CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc \
    PKG_CONFIG_ALLOW_CROSS=1 \
    PKG_CONFIG_PATH=/usr/lib/aarch64-linux-gnu/pkgconfig
