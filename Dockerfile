FROM node:24-slim AS build
WORKDIR /millrace
COPY . .
# The compiler comes as an optional package for each platform: those go when it has done its work.
RUN npm ci --no-audit --no-fund && node tools/build.ts && npm prune --omit=dev --omit=optional

FROM node:24-slim
WORKDIR /millrace
COPY --from=build /millrace /millrace
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 9092 8083 8081 8080
ENTRYPOINT ["node", "apps/cli/bin/millrace.js"]
# Clients connect to the advertised address: set it with -o advertised.listeners=PLAINTEXT://<host>:9092.
CMD ["start", "--data-dir", "/data", "--host", "0.0.0.0"]
