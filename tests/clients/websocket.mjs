// Node's `ws` with its defaults, which offer compression: sends the texts it is given, prints what was
// agreed on, and then all that comes, a line each.
//   node websocket.mjs FOLDER URL TEXT ...      FOLDER has node_modules

import { createRequire } from "node:module";

const [folder, url, ...texts] = process.argv.slice(2);
const WebSocket = createRequire(`${folder}/`)("ws");

const socket = new WebSocket(url, { perMessageDeflate: { threshold: 0 } });
socket.on("open", () => {
  console.log(socket.extensions);
  for (const text of texts) socket.send(text);
});
socket.on("message", (data) => console.log(data.toString()));
socket.on("error", (error) => console.log(error.message));
socket.on("close", (code) => process.exit(code === 1000 ? 0 : 1));
