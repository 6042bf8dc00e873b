import argparse
import os

parser = argparse.ArgumentParser()
parser.add_argument("--output_path", dest="output_path", required=True)
args = parser.parse_args()
os.makedirs(os.path.dirname(args.output_path), exist_ok=True)
with open(args.output_path, "w") as f:
    f.write("Step 1's output")
