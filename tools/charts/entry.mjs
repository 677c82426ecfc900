// What the charts of the report need of Vega: no geography, no loading, no Vega-Lite (its
// specifications are compiled when this bundle is built).
import { transforms } from "vega-dataflow";
import * as encode from "vega-encode";
import { expressionInterpreter } from "vega-interpreter";
import { parse } from "vega-parser";
import * as general from "vega-transforms";
import { extend } from "vega-util";
import { View } from "vega-view";
import * as views from "vega-view-transforms";
import specs from "specs";

extend(transforms, general, views, encode);
globalThis.dedupCharts = { View, parse, expressionInterpreter, specs };
