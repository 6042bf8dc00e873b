import argparse

from towpath import Run

parser = argparse.ArgumentParser()
parser.add_argument("--training-folder", type=str, dest="train_folder", help="where the training data is")
args = parser.parse_args()
training_data_folder = args.train_folder
testing_data_folder = Run.get_context().input_datasets["test"]
print(training_data_folder, testing_data_folder)
