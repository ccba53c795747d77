/** Style sheets of single pages, loaded with the first of them. */

const sheets = new Map();

/** Load a style sheet once. Resolves when it counts; one that failed is tried again with the next call. */
export function sheet(address) {
  if (!sheets.has(address)) {
    sheets.set(
      address,
      new Promise((resolve, reject) => {
        const link = document.createElement("link");
        link.rel = "stylesheet";
        link.href = address;
        link.addEventListener("load", () => resolve());
        link.addEventListener("error", () => {
          sheets.delete(address);
          link.remove();
          reject(new Error(`A style sheet could not be loaded: ${address}`));
        });
        document.head.append(link);
      }),
    );
  }
  return sheets.get(address);
}
