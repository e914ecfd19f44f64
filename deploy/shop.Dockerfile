# SPDX-License-Identifier: Apache-2.0
# The demo shop's services, one target each language: docker build -f deploy/shop.Dockerfile --target node .
FROM node:20-slim AS node
WORKDIR /shop
COPY k6/shop/node/package.json k6/shop/node/package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY k6/shop/capture.sh k6/shop/node/*.js ./
USER node
ENTRYPOINT ["./capture.sh", "node", "--require", "./telemetry.js"]

FROM python:3.11-slim AS payment
WORKDIR /shop
COPY k6/shop/payment/requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY k6/shop/capture.sh k6/shop/payment/*.py ./
USER nobody
ENTRYPOINT ["./capture.sh", "opentelemetry-instrument", "python", "payment.py"]

FROM maven:3.9-eclipse-temurin-17 AS shipping-build
WORKDIR /shop
COPY k6/shop/shipping .
RUN mvn -B -q package

FROM eclipse-temurin:17-jre AS shipping
WORKDIR /shop
COPY --from=shipping-build /shop/target/shipping.jar /shop/target/lib/ ./
COPY k6/shop/capture.sh .
USER nobody
ENTRYPOINT ["./capture.sh", "java", "-Xmx128m", "-javaagent:opentelemetry-javaagent.jar", "-cp", "shipping.jar:postgresql.jar", "shop.Shipping"]

FROM golang:1.26 AS dispatch-build
WORKDIR /shop
COPY k6/shop/dispatch .
RUN CGO_ENABLED=0 go build -o /dispatch .

FROM alpine:3 AS dispatch
COPY --from=dispatch-build /dispatch /dispatch
COPY k6/shop/capture.sh /capture.sh
USER nobody
ENTRYPOINT ["/capture.sh", "/dispatch"]
