// SPDX-License-Identifier: Apache-2.0
// What a person can do when nobody, or somebody else, answers.

const KNOWN = [
  [/malformed HTTP|HTTP\/1\.x transport connection broken|: EOF/, 'what answers there does not speak HTTP/1: a gRPC port? OTLP/HTTP is at 4318 by default, gRPC at 4317'],
  [/tls:|x509|HTTPS client/, 'no TLS is spoken there that k6 can trust: write http:// unless it is served with a certificate that this machine knows'],
  [/no such host|server misbehaving/, 'no such name: is it one of another network (a cluster, a compose file)?'],
  [/timeout|deadline exceeded/, 'it takes the connection and does not answer: is it stopped, or another program?'],
];

/** The reason behind an error of k6's HTTP client, and what to do; `otherwise` when the error speaks for itself. */
export function adviceFor(message, otherwise) {
  const known = KNOWN.find(([pattern]) => pattern.test(message));
  // "Get "http://…": dial tcp …: connect: connection refused": the address was named before.
  return known ? known[1] : `${message.replace(/^\w+ "[^"]*": /, '').slice(0, 200)}; ${otherwise}`;
}
