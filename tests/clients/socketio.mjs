// The real Socket.IO client on a string: commands come as lines of JSON, what happens goes out as such.
//   node socketio.mjs FOLDER URL OPTIONS      FOLDER has node_modules
// commands: {"emit": [EVENT, MESSAGE, …], "ack": true}, {"disconnect": true}

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [folder, url, options] = process.argv.slice(2);
const { io } = createRequire(`${folder}/`)("socket.io-client");
const tell = (happened) => process.stdout.write(JSON.stringify(happened) + "\n");

const socket = io(url, { reconnection: false, ...JSON.parse(options) });
socket.on("connect", () => tell({ connect: socket.io.engine.transport.name }));
socket.io.engine.on("upgrade", (transport) => tell({ upgrade: transport.name }));
socket.on("connect_error", (error) => tell({ connect_error: error.message }));
socket.on("disconnect", (reason) => {
  tell({ disconnect: reason });
  // A client that goes of its own accord still has a word to send.
  if (reason !== "io client disconnect") process.exit(0);
});
socket.onAny((event, ...args) => tell({ event, args }));

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.disconnect) {
    socket.disconnect();
  } else if (command.ack) {
    socket.emit(...command.emit, (...args) => tell({ ack: command.emit[0], args }));
  } else {
    socket.emit(...command.emit);
  }
}
process.exit(0);
