import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--pd", dest="pd", required=True)
args = parser.parse_args()
with open(args.pd) as f:
    print(f.read())
