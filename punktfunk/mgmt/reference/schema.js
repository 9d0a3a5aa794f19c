// What a schema says, as elements to read and as an example to start from.

const MAX_DEPTH = 6;

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Text with `code` in it. Everything is text: nothing is ever read as markup.
export function words(text = "") {
  return text.split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part));
}

export function resolve(node, contract) {
  if (!node?.$ref) return node ?? {};
  const found = node.$ref.slice(2).split("/").reduce((inside, name) => inside[name], contract);
  return { ...found, ...(node.description && { description: node.description }) };
}

export function members(schema, contract, depth = 0) {
  const plain = whole(schema, contract);
  if (plain.type?.includes("array")) return members(plain.items, contract, depth);
  const entries = Object.entries(plain.properties ?? {});
  if (!entries.length || depth > MAX_DEPTH) return "";
  const lines = entries.map(([name, member]) => {
    const needed = plain.required?.includes(name) ? ", required" : "";
    const about = whole(member, contract).description;
    const kind = element("span", { class: "faint" }, ` ${kindOf(member, contract)}${needed} `);
    return element("li", {}, element("code", {}, name), kind, ...words(about),
      members(member, contract, depth + 1));
  });
  return element("ul", {}, ...lines);
}

export function kindOf(schema, contract) {
  const plain = whole(schema, contract);
  const kinds = [plain.type ?? "anything"].flat().map((kind) =>
    kind === "array" ? `list of ${kindOf(plain.items, contract)}` : kind);
  const choice = plain.enum ? `: ${plain.enum.join(", ")}` : "";
  const least = plain.minimum === undefined ? "" : `, at least ${plain.minimum}`;
  const most = plain.maximum === undefined ? "" : `, at most ${plain.maximum}`;
  return kinds.join(" or ") + choice + least + most;
}

export function example(schema, contract, depth = 0) {
  const plain = whole(schema, contract);
  const given = plain.example ?? plain.default ?? plain.enum?.[0];
  if (given !== undefined) return given;
  const kinds = [plain.type].flat();
  const kind = kinds.includes("null") ? "null" : kinds[0];
  if (kind === "object" && depth <= MAX_DEPTH) {
    return Object.fromEntries(Object.entries(plain.properties ?? {}).map(
      ([name, member]) => [name, example(member, contract, depth + 1)]));
  }
  return { array: [], boolean: false, integer: plain.minimum ?? 0, number: 0, string: "" }[kind] ?? null;
}

// A schema without $ref, allOf, oneOf and anyOf around it. Of several, the first that is no null.
function whole(schema, contract) {
  const plain = resolve(schema, contract);
  const parts = plain.allOf ?? plain.oneOf ?? plain.anyOf;
  if (!parts) return plain;
  const first = parts.find((part) => part.type !== "null") ?? parts[0];
  return { ...whole(first, contract), ...(plain.description && { description: plain.description }) };
}
