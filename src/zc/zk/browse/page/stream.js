// The server's events, whatever happens to the server: a page on a wall has nobody to reload it.

const SILENCE = 35_000; // milliseconds; the server says something every ten seconds
const PAUSE = 3_000;

export class Stream {
  // `handlers` has a function for each kind of event, `opened` and `lost`.
  constructor(address, handlers) {
    this.address = address;
    this.handlers = handlers;
    this.connect();
    setInterval(() => this.look(), PAUSE);
  }

  connect() {
    this.source?.close();
    this.heard = performance.now();
    this.source = new EventSource(this.address);
    const { opened, lost, ...kinds } = this.handlers;
    this.source.addEventListener("open", () => {
      this.heard = performance.now();
      opened();
    });
    this.source.addEventListener("error", lost);
    for (const [kind, handle] of Object.entries({ heartbeat: () => {}, ...kinds })) {
      this.source.addEventListener(kind, (event) => {
        this.heard = performance.now();
        handle(JSON.parse(event.data));
      });
    }
  }

  // Connect again where the browser has given up, and where a connection is silent.
  look() {
    const isSilent = performance.now() - this.heard > SILENCE;
    if (isSilent) {
      this.handlers.lost();
    }
    if (isSilent || this.source.readyState === EventSource.CLOSED) {
      this.connect();
    }
  }
}
