"""See scripts/reference."""

import os
import sys

import yaml

FOLDER = "docs/reference"
CONSTRAINTS = {
    "minimum": "at least {}", "maximum": "at most {}", "minItems": "at least {} entries",
    "maxItems": "at most {} entries", "format": "{}",
}


def allowed(schema):
    """What a schema allows besides its type, in words."""
    words = []
    if "enum" in schema:
        words.append(", ".join(f"`{value}`" for value in schema["enum"]))
    if "minimum" in schema and "maximum" in schema:
        words.append(f"{schema['minimum']} to {schema['maximum']}")
    if "maxLength" in schema:
        words.append(f"{schema.get('minLength', 0)} to {schema['maxLength']} characters")
    if "pattern" in schema:
        # A pipe would end the cell of the table, also in code.
        words.append("matches <code>" + schema["pattern"].replace("|", "&#124;") + "</code>")
    for refused in schema.get("not", {}).get("enum", []):
        words.append(f"not {refused}")
    if "pattern" in schema.get("not", {}):
        words.append(f"does not match <code>{schema['not']['pattern']}</code>")
    for key, text in CONSTRAINTS.items():
        isRange = key in ("minimum", "maximum") and "minimum" in schema and "maximum" in schema
        if key in schema and not isRange:
            words.append(text.format(schema[key]))
    return "; ".join(words)


def kind(schema):
    if schema.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if schema["type"] == "array":
        return f"list of {kind(schema['items'])}"
    return schema["type"]


def rows(schema, path):
    """Every field below `schema`, depth first, as rows of a table."""
    for name, field in schema.get("properties", {}).items():
        entry = field.get("items", {})
        limits = "; ".join(words for words in [allowed(field), allowed(entry) and f"each: {allowed(entry)}"] if words)
        default = "required" if name in schema.get("required", []) else f"`{field['default']}`" if "default" in field else ""
        meaning = " ".join(field.get("description", "").split()).replace("<", "&lt;")
        yield f"| `{path}{name}` | {kind(field)} | {limits} | {default} | {meaning} |"
        yield from rows(field, f"{path}{name}.")
        if entry.get("properties"):
            yield from rows(entry, f"{path}{name}[].")


def page(crd):
    names, version = crd["spec"]["names"], crd["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    lines = [
        f"# {names['kind']}", "",
        "<!-- Written by scripts/reference out of the CustomResourceDefinition; a change belongs there. -->", "",
        " ".join(schema["description"].split()), "",
        f"`apiVersion: {crd['spec']['group']}/{version['name']}`, `kind: {names['kind']}`, "
        f"{crd['spec']['scope'].lower()}; `kubectl get {names['plural']}`, or short `{names['shortNames'][0]}`.", "",
    ]
    for part in ["spec", "status"]:
        field = schema["properties"][part]
        lines += [f"## {part}", "", " ".join(field["description"].split()), "",
                  "| field | type | allowed | default | |", "| --- | --- | --- | --- | --- |",
                  *rows(field, ""), ""]
    lines += ["## Columns", "", f"What `kubectl get {names['shortNames'][0]}` shows; those marked wide, with `-o wide`.",
              "", "| column | wide | |", "| --- | --- | --- |"]
    for column in version["additionalPrinterColumns"]:
        wide = "wide" if column.get("priority") else ""
        lines.append(f"| {column['name']} | {wide} | {column.get('description', '')} |")
    return "\n".join(lines) + "\n"


outdated = []
for name in ["velocloudbp", "velocloudlimit"]:
    with open(f"manifests/crd/{name}.yaml") as file:
        text = page(yaml.safe_load(file))
    path = f"{FOLDER}/{name}.md"
    if sys.argv[1:] == ["--check"]:
        if not os.path.exists(path) or open(path).read() != text:
            outdated.append(path)
    else:
        os.makedirs(FOLDER, exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
if outdated:
    sys.exit(f"reference: {', '.join(outdated)} is not what the definitions say: run scripts/reference")
