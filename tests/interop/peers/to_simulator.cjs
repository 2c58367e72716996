// Sends what a Node program has for Google to the simulator.
//
//   NODE_EXTRA_CA_CERTS=pushctl-simulator/ca.pem SIMULATOR_PORT=2197 \
//     node --require ./to_simulator.cjs app.js
const tls = require("tls");

const GOOGLE = ["fcm.googleapis.com", "oauth2.googleapis.com", "iid.googleapis.com"];
const connect = tls.connect;

tls.connect = function (...given) {
  const at = given.findIndex((one) => one !== null && typeof one === "object");
  const options = at < 0 ? {} : given[at];
  const host = options.host ?? (typeof given[1] === "string" ? given[1] : options.servername);
  if (!GOOGLE.includes(host)) return connect.apply(this, given);
  const local = { host: "127.0.0.1", port: Number(process.env.SIMULATOR_PORT) };
  const listener = given.find((one) => typeof one === "function");
  return connect.call(this, { ...options, ...local, servername: "localhost" }, listener);
};
