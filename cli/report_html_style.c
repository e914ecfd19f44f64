/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report_html.h"

void html_style(struct tt_buffer *out)
{
    html_raw(
        out,
        ":root{--ink:#1f2328;--soft:#57606a;--line:#d0d7de;--ground:#fff;--card:#f6f8fa;--pass:#007a55;--warn:#9a5b00;--fail:#b3261e;"
        "--pass-bg:#e6f5ef;--warn-bg:#fdf1dc;--fail-bg:#fce8e6;--link:#0060a0;--hot:213,94,0;--cold:0,114,178;color-scheme:light dark}\n"
        "@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--soft:#9da5b0;--line:#3d444d;--ground:#14171a;--card:#1c2126;"
        "--pass:#4cc79b;--warn:#f0b04a;--fail:#ff8a80;--pass-bg:#12332a;--warn-bg:#3a2b10;--fail-bg:#421d1a;--link:#6cb6ff}}\n"
        "*{box-sizing:border-box}html{scroll-behavior:smooth}\n"
        "body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.55 system-ui,\"Segoe UI\",\"DejaVu Sans\",sans-serif}\n"
        "main,header,footer{max-width:1040px;margin:0 auto;padding:0 24px}\n"
        "header{padding-top:32px}h1{font-size:26px;margin:0;line-height:1.25;overflow-wrap:anywhere}\n"
        "h2{font-size:20px;margin:44px 0 6px;padding-top:14px;border-top:1px solid var(--line)}\n"
        "h3{font-size:15px;margin:22px 0 4px}p{margin:6px 0 12px;max-width:78ch}a{color:var(--link)}\n"
        ".sub,.note,figcaption,footer{color:var(--soft)}.note,figcaption{font-size:13px}\n"
        "nav{margin:18px 0 0;font-size:14px}nav a{margin-right:14px;white-space:nowrap}\n");
    html_raw(
        out,
        ".verdict{margin:22px 0 0;padding:16px 20px;border-radius:10px;border-left:8px solid}\n"
        ".verdict strong{font-size:22px;display:block;line-height:1.3}.verdict p{margin:4px 0 0}\n"
        ".verdict.pass{background:var(--pass-bg);border-color:var(--pass)}.verdict.warn{background:var(--warn-bg);border-color:var(--warn)}"
        ".verdict.fail{background:var(--fail-bg);border-color:var(--fail)}\n"
        ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:20px 0 0}\n"
        ".tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px 14px}\n"
        ".tile b{display:block;font-size:22px;line-height:1.3;font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:13px}\n"
        "ul.checks{list-style:none;margin:10px 0 0;padding:0}\n"
        ".checks li{display:grid;grid-template-columns:86px 1fr;gap:12px;padding:9px 0;border-bottom:1px solid var(--line)}\n"
        ".checks p{margin:2px 0 0}.checks .advice{font-style:italic}\n"
        ".badge{align-self:start;justify-self:start;font-size:12px;font-weight:700;padding:2px 9px;border-radius:99px;white-space:nowrap}\n"
        ".badge.pass{color:var(--pass);background:var(--pass-bg)}.badge.warn{color:var(--warn);background:var(--warn-bg)}"
        ".badge.fail{color:var(--fail);background:var(--fail-bg)}.badge.unknown{color:var(--soft);background:var(--card)}\n"
        "figure{margin:16px 0 20px}figure svg{width:100%;height:auto;display:block}\n"
        ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:8px 24px}\n");
    html_raw(
        out,
        ".scroll{overflow-x:auto;margin:10px 0 16px}table{border-collapse:collapse;font-size:13.5px;width:100%}\n"
        "th,td{padding:5px 10px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);overflow-wrap:break-word}\n"
        "thead th{color:var(--soft);font-weight:600;border-bottom:2px solid var(--line);vertical-align:bottom}tbody th{font-weight:600}tbody th,td.name{min-width:8.5em;max-width:22em;overflow-wrap:anywhere}th,td,code{unicode-bidi:isolate}\n"
        "td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}td .s,th .s{color:var(--soft);font-weight:400}\n"
        ".heat td{text-align:center;white-space:nowrap;font-variant-numeric:tabular-nums;border:2px solid var(--ground)}"
        ".heat td .s{display:block;font-size:11.5px;color:inherit;opacity:.82}.heat .here{outline:2px solid var(--ink);outline-offset:-2px}\n"
        ".heat thead th{font-size:12px;text-align:center}.heat tbody th{min-width:8.5em}.facts td,.columns td{overflow-wrap:anywhere}\n"
        ".bar{display:inline-block;height:9px;border-radius:2px;background:var(--link);vertical-align:baseline;min-width:1px}\n"
        "code{font-family:ui-monospace,\"DejaVu Sans Mono\",monospace;font-size:.92em}\n"
        "dl.sheet dt{font-weight:600;margin-top:16px}dl.sheet dd{margin:2px 0 0}\n"
        ".blank{min-height:44px;margin:6px 0 0;padding:6px 10px;border:1px dashed var(--line);border-radius:6px;background:var(--card)}\n"
        "footer{margin-top:48px;padding-top:14px;padding-bottom:40px;border-top:1px solid var(--line);font-size:13px}\n"
        "@media (max-width:640px){main,header,footer{padding-left:14px;padding-right:14px}.checks li{grid-template-columns:1fr;gap:3px}"
        ".pair{grid-template-columns:1fr}}\n"
        "@media print{:root{--ink:#000;--soft:#444;--ground:#fff;--card:#fff;--line:#bbb}body{font-size:10.5pt}nav{display:none}"
        "h2,h3{break-after:avoid}table{font-size:8.5pt}td.n,th.n{white-space:normal}th,td{padding:3px 6px}figure,tr,.checks li,.tile,.verdict,dl.sheet dd{break-inside:avoid}.verdict,.badge,.heat td,.bar"
        "{-webkit-print-color-adjust:exact;print-color-adjust:exact}.scroll{overflow:visible}a{color:inherit;text-decoration:none}}\n");
}
