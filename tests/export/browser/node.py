"""Run a piece of JavaScript over the page's own modules in Node.js."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import headway

RUNTIME = Path(headway.__file__).parent / "export" / "browser" / "static" / "runtime"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="needs Node.js: apt-get install nodejs")


def run_js(names, module, body, given):
    """Import `names` from a module of the runtime, run `body` with `given`, and return what it returns."""
    script = f"""
import {{ {names} }} from {json.dumps((RUNTIME / module).as_uri())};
let text = "";
for await (const part of process.stdin) text += part;
const given = JSON.parse(text);
const work = async () => {{ {body} }};
console.log(JSON.stringify(await work(), (_, value) => typeof value === "number" && !Number.isFinite(value)
  ? String(value) : typeof value === "bigint" ? Number(value) : ArrayBuffer.isView(value) ? Array.from(value) : value));
"""
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", script],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def encode_js(feed, rows):
    """Return the one input that a feed without files gives in JavaScript: `{type, data, dims}`, or the refusals."""
    name = {"number": "Numbers", "category": "Categories", "date": "Dates", "characters": "Characters"}[feed["kind"]]
    body = f"""
const {{ feed, rows }} = given;
return rows.map((row) => {{
  try {{ return encode{name}(feed, [row])[feed.name].data; }}
  catch (error) {{ return {{ refused: error.constructor.name, message: error.message }}; }}
}});"""
    module = {"number": "numbers.js", "category": "categories.js", "date": "dates.js", "characters": "characters.js"}
    return run_js(f"encode{name}", module[feed["kind"]], body, {"feed": feed, "rows": rows})
