# The Sealwright image: one bundled file, its licences, the Node.js that the lockfile names and the C library it needs.
#
#   docker build -t sealwright .
#
# Only the build stage has a base, a Debian with Node.js, npm and ldd; the final stage starts from nothing, so that what is
# not copied here is not there: no shell, no package manager, no npm.
ARG BUILD_BASE=docker.io/library/node:26.10.0-bookworm-slim
ARG RUN_BASE=scratch

FROM ${BUILD_BASE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# No install script runs: nothing that ends in the image needs one.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE tsconfig.json ./
COPY src ./src
RUN npm run bundle -- /image/app
# Node.js is the one of the lockfile, verified by its hash there, with exactly the libraries that it asks for.
RUN node="$(npm exec -- node -p process.execPath)" \
 && mkdir -p /image/usr/local/bin /image/etc /image/tmp /image/usr/share/doc/node \
 && cp "$node" /image/usr/local/bin/node \
 && cp "$(dirname "$node")/../LICENSE" /image/usr/share/doc/node/LICENSE \
 && ldd "$node" | grep -o '/[^ ]*' | xargs -I{} cp -L --parents {} /image \
 && cd /usr/share/doc && cp --parents libc6/copyright libgcc-s1/copyright libstdc++6/copyright gcc-*-base/copyright /image/usr/share/doc \
 && printf 'root:x:0:0:root:/:/sbin/nologin\nsealwright:x:65532:65532::/app:/sbin/nologin\n' > /image/etc/passwd \
 && printf 'root:x:0:\nsealwright:x:65532:\n' > /image/etc/group \
 && printf 'hosts: files dns\n' > /image/etc/nsswitch.conf \
 && chmod -R a-w,a+rX /image && chmod 1777 /image/tmp

FROM ${RUN_BASE}
COPY --from=build /image /
ENV NODE_ENV=production
WORKDIR /app
# A number, so that a cluster's runAsNonRoot can see that it is not root.
USER 65532:65532
# SIGUSR1 opens no inspector, from the first moment on.
ENTRYPOINT ["/usr/local/bin/node", "--disable-sigusr1", "/app/sealwright.js"]
CMD ["run", "-c", "/etc/sealwright/sidecar.yaml"]
LABEL org.opencontainers.image.title="sealwright" \
      org.opencontainers.image.description="Transparent encryption sidecar" \
      org.opencontainers.image.licenses="Apache-2.0"
