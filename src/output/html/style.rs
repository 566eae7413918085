//! How pages look. Colours only repeat what words say.

/// The style sheet of every page.
pub const SHEET: &str = "\
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --dim: #5b6470; --line: #d4d9df;
  --good: #14703a; --bad: #b3261e; --warn: #8a5a00; --bar: #2f6fb0; --window: #cfe8d6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7eb; --paper: #14171a; --dim: #9aa4af; --line: #343a41;
    --good: #63c98a; --bad: #ff8a80; --warn: #e0b050; --bar: #6aa9e9; --window: #1f4430; }
}
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0.5rem 0; }
th, td { text-align: left; padding: 0.2rem 1rem 0.2rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; vertical-align: top; }
th { color: var(--dim); font-weight: 600; font-size: 0.8rem; }
.right { text-align: right; }
.bold { font-weight: 600; } .dim { color: var(--dim); }
.online { color: var(--good); } .offline, .error { color: var(--bad); font-weight: 600; }
.closing, .unknown, .warning, .suspect { color: var(--warn); }
figure { margin: 1rem 0; } figcaption { color: var(--dim); font-size: 0.9rem; }
svg { display: block; width: 100%; height: auto; max-width: 42rem; }
svg text { fill: var(--dim); font: 11px system-ui, sans-serif; }
.window { fill: var(--window); } .bar { fill: var(--bar); } .late { fill: var(--bad); }
.axis { stroke: var(--line); }
.alive { fill: none; stroke: var(--bar); stroke-width: 2; }
.believed { fill: none; stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 5 3; }
";
