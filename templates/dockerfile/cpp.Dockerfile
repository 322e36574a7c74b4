{{header}}
# One program, the shared libraries it needs and CA certificates; no shell, no compiler, no source.

FROM {{base}} AS deps
WORKDIR /src
{{#args}}
ARG {{name}}={{value}}
{{/args}}
{{#installs}}
# Debian packages before source. PACKAGES in build.args names the libraries of the project.
{{^has_packages}}
ARG PACKAGES=""
{{/has_packages}}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
       ca-certificates cmake g++ git ninja-build pkg-config $PACKAGES \
    && rm -rf /var/lib/apt/lists/*
{{/installs}}
# The wait of the preStop hook: a stopping pod serves on until nothing sends it requests any more.
RUN mkdir -p /drain /empty /out/usr/local/bin /out/usr/local/lib /out/etc/ssl/certs \
    && printf '%s\n' '#include <cstdlib>' '#include <unistd.h>' \
       'int main(int count, char** words) { return count == 2 ? static_cast<int>(sleep(std::atoi(words[1]))) : 2; }' \
       > /drain/main.cpp \
    && c++ -O2 -static -s -o /out/usr/local/bin/drain-sleep /drain/main.cpp \
    && if [ -s /etc/ssl/certs/ca-certificates.crt ]; then cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/; fi

FROM deps AS builder
{{#args}}
ARG {{name}}={{value}}
{{/args}}
COPY . .
RUN {{#cache_mounts}}--mount=type=cache,id={{cache_id}},target=/build {{/cache_mounts}}{{#secrets}}--mount=type=secret,id={{id}} {{/secrets}}\
    cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
    && cmake --build /build \
    && cmake --install /build --prefix /installed --strip
# The C library itself is the runtime image's.
RUN { ldd /installed/bin/{{executable}} 2>/dev/null || true; } | awk '$3 ~ /^\// { print $3 }' \
    | grep -Ev '/(ld-linux|libc|libm|libdl|librt|libpthread|libresolv)[.-][^/]*$' \
    | while read -r library; do cp -L "$library" /out/usr/local/lib/; done

FROM {{runtime}} AS runtime
ENV LD_LIBRARY_PATH=/usr/local/lib
COPY --from=builder /out/ /
COPY --from=builder /installed/bin/{{executable}} {{program}}
{{#volumes}}
COPY --from=deps --chown={{user}}:{{user}} /empty/ {{mount}}/
{{/volumes}}
USER {{user}}:{{user}}
{{#ports}}
EXPOSE {{number}}
{{/ports}}
ENTRYPOINT {{entrypoint}}
# The commit comes last, and as a variable: another one that changes no source compiles nothing again.
ARG VERSION=dev
ARG COMMIT=unknown
ENV APP_VERSION="${VERSION}" APP_COMMIT="${COMMIT}"
LABEL org.opencontainers.image.title={{title}} \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
