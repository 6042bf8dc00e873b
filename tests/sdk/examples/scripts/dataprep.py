import argparse
import os

from towpath import Run

parser = argparse.ArgumentParser()
parser.add_argument("--output-path", dest="output_path", required=True)
args = parser.parse_args()
os.makedirs(args.output_path)
with open(os.path.join(args.output_path, "clean.csv"), "w") as clean:
    clean.write(str(Run.get_context().input_datasets))
