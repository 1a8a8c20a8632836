# One image for every role: `docker run … boardsharp api`, `worker`, `bot` or `start`. Built without a secret, run without root, on a
# file system that may be read-only: only /data and /tmp are written to.

FROM node:24-bookworm-slim AS build
WORKDIR /app
# What is installed changes less often than the source: it is a layer of its own.
COPY package.json package-lock.json ./
COPY bin bin
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.package.json ./
COPY src src
RUN npm run prepack

FROM node:24-bookworm-slim AS production
WORKDIR /app
COPY package.json package-lock.json ./
COPY bin bin
# ONNX Runtime brings its libraries for every system, this image is for one; TypeScript is an optional companion of a library's.
RUN npm ci --omit=dev --no-audit --no-fund \
  && rm -rf node_modules/typescript node_modules/@typescript \
  && cd node_modules/onnxruntime-node/bin/napi-v6 \
  && rm -rf darwin win32 "linux/$(node -p "process.arch === 'x64' ? 'arm64' : 'x64'")" \
  && rm -rf /root/.npm

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Boardsharp" \
  org.opencontainers.image.description="Makes photos of blackboards and whiteboards readable without changing a letter" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
  ORT_DISABLE_TELEMETRY=1 \
  DATA_DIR=/data \
  PORT=8080 \
  LOG_FORMAT=json
WORKDIR /app
RUN mkdir /data && chown 1000:1000 /data
COPY --from=production /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json .env.example CHANGELOG.md LICENSE ./
COPY bin bin
COPY migrations migrations
COPY locales locales
COPY models models
COPY web web
COPY docs/*.md docs/
# The user `node` of the base image, by number: a cluster can see that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 8080
# The API's own port, or that of the bot (BOT_PORT); a worker listens nowhere: its orchestrator watches the process.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "/app/bin/health-check.js"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/bin/boardsharp.js"]
CMD ["start"]
