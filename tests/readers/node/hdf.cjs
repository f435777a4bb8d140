// node hdf.cjs FILE: how Heimdall's own reader counts an exec JSON, and what hdf-converters make of it
const fs = require("fs");
const { createRequire } = require("module");
const from = createRequire(`${process.cwd()}/`);
const { convertFile, contextualizeEvaluation } = from("inspecjs");
const { FromHdfToAsffMapper } = from("@mitre/hdf-converters");

const text = fs.readFileSync(process.argv[2], "utf8");
const read = convertFile(text);
const run = read["1_0_ExecJson"];
if (!run) throw new Error(`no exec JSON: ${JSON.stringify(read.errors)}`);
const controls = contextualizeEvaluation(run).contains.flatMap((profile) =>
  profile.contains.map(({ data, hdf }) => ({
    profile: profile.data.name,
    id: data.id,
    status: hdf.status,
    severity: hdf.severity,
    waived: hdf.waived,
    verdict: data.tags.verdict,
    nist: hdf.parsedNistTags.map(String).length,
  })),
);
const settings = { awsAccountId: "123456789012", region: "none", target: "hosts", input: "hdf" };
const asff = new FromHdfToAsffMapper(JSON.parse(text), settings).toAsff();
const kinds = asff.map((one) => one.Compliance?.Status).filter(Boolean);
process.stdout.write(JSON.stringify({ controls, asff: kinds }));
