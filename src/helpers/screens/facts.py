"""What is known about RxRx19a, as constants.

Marks: [S] seen in the named source, [I] inferred by arithmetic. What is not here is unknown.
"""

# [S] Heiser et al. 2020; Cuccarese et al. 2020; the dataset of April 2020, corrected in August 2020.
PREPRINT_DOI = "10.1101/2020.04.21.054387"
FOLLOW_UP_DOI = "10.1101/2020.08.02.233064"
DATASET_LICENSE = "CC BY 4.0"
CITATION = (
    "Heiser K, et al. Identification of potential treatments for COVID-19 through artificial "
    "intelligence-enabled phenomic analysis of human cells infected with SARS-CoV-2. bioRxiv (2020). "
    f"https://doi.org/{PREPRINT_DOI}"
)

# [S] No checksum is published at this address: record the hash of the first download.
URL_BASE = "https://storage.googleapis.com/rxrx/RxRx19a/"
FILES = {
    "metadata": "RxRx19a-metadata.zip",
    "embeddings": "RxRx19a-DL-embeddings.zip",
    "images": "RxRx19a-images.zip",
}
METADATA_MEMBER = "RxRx19a/metadata.csv"
IMAGE_PATH = "images/{experiment}/Plate{plate}/{well}_s{site}_w{channel}.png"
IMAGE_SIZE = 1024  # pixels a side, 8 bit

# [S] The April 2020 file has no SMILES.
COLUMNS = (
    "site_id",
    "well_id",
    "cell_type",
    "experiment",
    "plate",
    "well",
    "site",
    "disease_condition",
    "treatment",
    "treatment_conc",
    "SMILES",
)
N_FEATURES = 1024  # [S] feature_0 .. feature_1023, unpadded

# [S] The condition as the file writes it, and as it is called here.
CONDITIONS = {
    "Mock": "mock",
    "UV Inactivated SARS-CoV-2": "uv",
    "Active SARS-CoV-2": "infected",
    "": "blank",
}
CONDITION_ORDER = ("mock", "uv", "infected", "blank")

EXPERIMENTS = ("HRCE-1", "HRCE-2", "VERO-1", "VERO-2")
# As they are written in prose; the letters are those of the files.
CELL_NAMES = {"HRCE": "HRCE", "VERO": "Vero"}
CELL_TYPES = {"HRCE-1": "HRCE", "HRCE-2": "HRCE", "VERO-1": "VERO", "VERO-2": "VERO"}

# [S] or exact arithmetic.
COUNTS = {
    "sites": 305_520,
    "wells": 76_380,
    "plates": {"HRCE-1": 26, "HRCE-2": 27, "VERO-1": 2, "VERO-2": 2},
    "sites_per_experiment": {"HRCE-1": 139_360, "HRCE-2": 144_720, "VERO-1": 10_720, "VERO-2": 10_720},
    "wells_per_plate": 1_340,
    "sites_per_well": 4,
    "sites_per_condition": {"infected": 280_376, "mock": 9_120, "uv": 9_120, "blank": 6_904},
    "hrce_wells": {"treated": 61_700, "untreated": 3_474, "mock": 2_120, "uv": 2_120, "blank": 1_606},
    "vero_blank_wells": 120,
    "treatment_strings": 1_669,
    "vero_compounds": 32,
    "compounds_in_both_hrce": 30,
    # HRCE treatment x dose groups by their number of wells, names compared in lower case.
    "hrce_groups": {6: 9_452, 11: 232, 12: 203},
    "hrce_groups_case_sensitive": 10_078,
    "names_split_by_case": 32,  # about
    "blank_wells_below_75_cells": 434,  # of the 1,606 of HRCE
    "mock_wells_below_75_cells": 13,  # of the 2,120 of HRCE
}

# uM. [S] All levels present, and the dose sets of HRCE.
DOSES = (0.001, 0.003, 0.01, 0.025, 0.03, 0.1, 0.25, 0.3, 1.0, 2.5, 3.0, 10.0, 30.0, 100.0)
DOSE_SETS = {
    "six": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    "eight": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
    "quarters": (0.01, 0.025, 0.1, 0.25, 1.0, 2.5),
    "eight_high": (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0),  # chloroquine, hydroxychloroquine
    "six_low": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3),  # bafilomycin A1
}

# [S] There is no MitoTracker.
STAINS = {
    1: ("Hoechst 33342", "nuclei"),
    2: ("concanavalin A", "endoplasmic reticulum, membrane glycoproteins"),
    3: ("phalloidin", "actin"),
    4: ("Syto14", "RNA, nucleoli"),
    5: ("wheat germ agglutinin", "Golgi, plasma membrane"),
}

# [S] ChEMBL's text of the assays.
ASSAYS = {
    "HRCE": {"virus": "SARS-CoV-2 USA-WA1/2020", "moi": 0.4, "hours": 96},
    "VERO": {"moi": 0.08, "hours": 48},
}
CHEMBL_ASSAYS = {"HRCE": "CHEMBL4303810", "VERO": "CHEMBL4303811"}
CHEMBL_DOCUMENT = "CHEMBL4303122"
CHEMBL_LICENSE = "CC BY-SA 3.0"

# [S] Published per-compound scores. Their formula is not public.
PUBLISHED_HIT_THRESHOLD = 0.6
PUBLISHED_HITS = {
    "HRCE": {
        "remdesivir": 0.963,
        "GS-441524": 0.865,
        "aloxistatin": 0.790,
        "silmitasertib": 0.761,
        "almitrine": 0.721,
        "rapamycin": 0.683,
        "zotarolimus": 0.632,
        "calcipotriene": 0.621,
        "alpelisib": 0.619,
        "duvelisib": 0.604,
        "clofazimine": 0.594,
        "paricalcitol": 0.576,
        "carvedilol": 0.524,
        "everolimus": 0.498,
        "nitazoxanide": 0.458,
        "niclosamide": 0.443,
        "solithromycin": 0.241,
        "hydroxychloroquine": 0.171,
        "camostat": 0.164,
        "favipiravir": 0.119,
        "lopinavir": 0.052,
        "chloroquine": 0.051,
        "ritonavir": 0.046,
        "albuterol": -0.300,
        "proscillaridin": -0.48,
        "trametinib": -0.486,
        "ixazomib": -0.702,
        "cabazitaxel": -0.828,
        "bortezomib": -0.965,
    },
    "VERO": {
        "GS-441524": 1.0,
        "chloroquine": 0.670,
        "solithromycin": 0.603,
        "remdesivir": 0.593,
        "hydroxychloroquine": 0.555,
        "aloxistatin": 0.440,
    },
}
# [S] Computed on the published HRCE scores: AUC of a class against all other compounds, and its size.
CLASS_AUC = {
    "mTOR/PI3K inhibitors": (0.991, 7),
    "beta-blockers": (0.853, 29),
    "vitamin D analogues": (0.839, 8),
    "beta-agonists": (0.087, 18),
    "proteasome inhibitors": (0.012, 4),
    "glucocorticoids": (0.520, 25),
}
# [S] SD of one HRCE score, from duplicate pairs (n = 63), SD over all compounds, and their median.
SCORE_NOISE = {"sd_one_score": 0.096, "n_pairs": 63, "sd_all": 0.134, "median_all": 0.133}
