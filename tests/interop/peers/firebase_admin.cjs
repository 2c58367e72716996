// Sends rounds of pushes with firebase-admin; a round begins when the one before is answered.
//
// usage: node --require ./to_simulator.cjs firebase_admin.cjs PLAN
//
// PLAN is JSON: {"service_account": FILE, "rounds": [[TOKEN, …], …]}.  Prints what was said of each
// token as JSON: "accepted", or the code of the error.
const { readFileSync } = require("fs");
const { initializeApp, cert } = require("firebase-admin/app");
const { getMessaging } = require("firebase-admin/messaging");

async function main() {
  const plan = JSON.parse(process.argv[2]);
  const account = JSON.parse(readFileSync(plan.service_account, "utf8"));
  const messaging = getMessaging(initializeApp({ credential: cert(account) }));
  const said = {};
  for (const tokens of plan.rounds) {
    const notification = { title: "Hello", body: "There" };
    const answers = await messaging
      .sendEach(tokens.map((token) => ({ token, notification })))
      .then((batch) => batch.responses)
      .catch((error) => tokens.map(() => ({ success: false, error })));
    tokens.forEach((token, number) => {
      const { success, error } = answers[number];
      said[token] = success ? "accepted" : `${error.code ?? error.message}`;
    });
  }
  console.log(JSON.stringify(said));
  process.exit(0);
}

main();
