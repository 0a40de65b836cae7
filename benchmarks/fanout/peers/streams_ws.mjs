// Node's `ws` with streams: "sub 1 5" reads these, "go 3" has the texts of stream 36 to 47 sent to who reads them.
import {createRequire} from "node:module";
const require = createRequire(process.argv[4] + "/");
const {WebSocketServer} = require("ws");

const kline = "x".repeat(Number(process.argv[2]));
const book = "x".repeat(Number(process.argv[3]));
const readers = new Map();
const server = new WebSocketServer({host: "127.0.0.1", port: 0});
server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    const [word, ...numbers] = data.toString().split(" ");
    if (word === "sub") {
      for (const number of numbers) {
        if (!readers.has(number)) readers.set(number, new Set());
        readers.get(number).add(socket);
      }
      return;
    }
    for (let kind = 0; kind < 12; kind++)
      for (const reader of readers.get(String(numbers[0] * 12 + kind)) ?? [])
        reader.send(kind < 11 ? kline : book);
    socket.send("ok");
  });
});
