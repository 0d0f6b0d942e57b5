// The suite as it is. Its paths begin with /v1/stream: under our mount, that is a part of the streams' names.
import { runConformanceTests } from "@durable-streams/server-conformance-tests";

runConformanceTests({ baseUrl: `${process.env.STRANDLINE_URL}/v1/data` });
