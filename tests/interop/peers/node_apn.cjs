// Sends rounds of pushes with @parse/node-apn; a round begins when the one before is answered.
//
// usage: node node_apn.cjs PLAN
//
// PLAN is JSON: {"address", "port", "ca", "key", "key_id", "team_id", "topic", "rounds"}, with files
// for ca and key.  Prints what was said of each token as JSON.
const { readFileSync } = require("fs");
const apn = require("@parse/node-apn");

async function main() {
  const plan = JSON.parse(process.argv[2]);
  const provider = new apn.Provider({
    address: plan.address,
    port: plan.port,
    ca: readFileSync(plan.ca, "utf8"),
    token: { key: plan.key, keyId: plan.key_id, teamId: plan.team_id },
  });
  const said = {};
  for (const tokens of plan.rounds) {
    const note = new apn.Notification({ alert: "Hello", topic: plan.topic, pushType: "alert" });
    const { sent, failed } = await provider.send(note, tokens);
    for (const { device } of sent) said[device] = "accepted";
    for (const { device, response, error } of failed) {
      said[device] = response?.reason ?? `error: ${error?.message ?? "none"}`;
    }
  }
  console.log(JSON.stringify(said));
  process.exit(0);
}

main();
